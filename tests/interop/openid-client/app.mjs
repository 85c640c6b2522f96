// An Express application that relies on Clave through openid-client.
import crypto from 'node:crypto'
import express from 'express'
import session from 'express-session'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, POST_LOGOUT_REDIRECT_URI, PORT } = process.env
const config = await client.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  { client_secret: CLIENT_SECRET, id_token_signed_response_alg: 'ES256' },
  undefined,
  { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
)
const app = express()
app.use(session({ secret: crypto.randomUUID(), resave: false, saveUninitialized: false }))

app.get('/', (request, response) => response.send('<a href="/login">Ingresar</a>'))

app.get('/login', async (request, response) => {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  }
  request.session.checks = checks
  const parameters = {
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile email offline_access',
    prompt: 'consent',
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  }
  response.redirect(client.buildAuthorizationUrl(config, parameters).href)
})

app.get('/callback', async (request, response) => {
  const url = new URL(request.originalUrl, REDIRECT_URI)
  const tokens = await client.authorizationCodeGrant(config, url, { ...request.session.checks, idTokenExpected: true })
  request.session.tokens = { ...tokens, claims: tokens.claims() }
  response.redirect('/me')
})

app.get('/me', me)

async function me(request, response) {
  const tokens = request.session.tokens
  if (!tokens) return response.status(401).json({ error: 'not signed in' })
  response.json({
    id_token: tokens.claims,
    kid: JSON.parse(Buffer.from(tokens.id_token.split('.')[0], 'base64url')).kid,
    userinfo: await client.fetchUserInfo(config, tokens.access_token, tokens.claims.sub),
    access_token: crypto.createHash('sha256').update(tokens.access_token).digest('hex').slice(0, 16),
  })
}

app.get('/refresh', async (request, response) => {
  const old = request.session.tokens
  const tokens = await client.refreshTokenGrant(config, old.refresh_token)
  request.session.tokens = { ...old, ...tokens, claims: tokens.claims() ?? old.claims }
  await me(request, response)
})

app.get('/logout', (request, response) => {
  const { id_token } = request.session.tokens
  const parameters = { id_token_hint: id_token, post_logout_redirect_uri: POST_LOGOUT_REDIRECT_URI }
  request.session.destroy(() => response.redirect(client.buildEndSessionUrl(config, parameters).href))
})

app.listen(Number(PORT), '127.0.0.1')
