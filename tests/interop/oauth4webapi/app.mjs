// An Express application that relies on Clave through oauth4webapi.
import crypto from 'node:crypto'
import express from 'express'
import session from 'express-session'
import * as oauth from 'oauth4webapi'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, POST_LOGOUT_REDIRECT_URI, PORT } = process.env
const http = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(ISSUER)
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http))
const client = { client_id: CLIENT_ID, id_token_signed_response_alg: 'ES256' }
const authentication = oauth.ClientSecretBasic(CLIENT_SECRET)
const app = express()
app.use(session({ secret: crypto.randomUUID(), resave: false, saveUninitialized: false }))

app.get('/', (request, response) => response.send('<a href="/login">Ingresar</a>'))

app.get('/login', async (request, response) => {
  const checks = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
  }
  request.session.checks = checks
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid profile email offline_access',
    prompt: 'consent',
    code_challenge: await oauth.calculatePKCECodeChallenge(checks.verifier),
    code_challenge_method: 'S256',
    state: checks.state,
    nonce: checks.nonce,
  })
  response.redirect(url.href)
})

app.get('/callback', async (request, response) => {
  const { verifier, state, nonce } = request.session.checks
  const parameters = oauth.validateAuthResponse(server, client, new URL(request.originalUrl, REDIRECT_URI), state)
  const answer = await oauth.authorizationCodeGrantRequest(
    server, client, authentication, parameters, REDIRECT_URI, verifier, http)
  const checks = { expectedNonce: nonce, requireIdToken: true }
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, checks)
  await oauth.validateApplicationLevelSignature(server, answer, http)
  request.session.tokens = { ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) }
  response.redirect('/me')
})

app.get('/me', me)

async function me(request, response) {
  const tokens = request.session.tokens
  if (!tokens) return response.status(401).json({ error: 'not signed in' })
  const answer = await oauth.userInfoRequest(server, client, tokens.access_token, http)
  response.json({
    id_token: tokens.claims,
    kid: JSON.parse(Buffer.from(tokens.id_token.split('.')[0], 'base64url')).kid,
    userinfo: await oauth.processUserInfoResponse(server, client, tokens.claims.sub, answer),
    access_token: crypto.createHash('sha256').update(tokens.access_token).digest('hex').slice(0, 16),
  })
}

app.get('/refresh', async (request, response) => {
  const old = request.session.tokens
  const answer = await oauth.refreshTokenGrantRequest(server, client, authentication, old.refresh_token, http)
  const tokens = await oauth.processRefreshTokenResponse(server, client, answer)
  if (tokens.id_token) await oauth.validateApplicationLevelSignature(server, answer, http)
  request.session.tokens = { ...old, ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) ?? old.claims }
  await me(request, response)
})

app.get('/logout', (request, response) => {
  const url = new URL(server.end_session_endpoint)
  url.search = new URLSearchParams({
    id_token_hint: request.session.tokens.id_token,
    post_logout_redirect_uri: POST_LOGOUT_REDIRECT_URI,
  })
  request.session.destroy(() => response.redirect(url.href))
})

app.listen(Number(PORT), '127.0.0.1')
