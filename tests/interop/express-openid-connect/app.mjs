// An Express application that relies on Clave through express-openid-connect.
import crypto from 'node:crypto'
import express from 'express'
import openid from 'express-openid-connect'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, POST_LOGOUT_REDIRECT_URI, PORT } = process.env
const app = express()
app.use(
  openid.auth({
    issuerBaseURL: ISSUER,
    baseURL: new URL(REDIRECT_URI).origin,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    secret: crypto.randomUUID(),
    authRequired: false,
    idpLogout: true,
    idTokenSigningAlg: 'ES256',
    authorizationParams: { response_type: 'code', scope: 'openid profile email offline_access', prompt: 'consent' },
    routes: { postLogoutRedirect: POST_LOGOUT_REDIRECT_URI },
  }),
)

app.get('/', (request, response) => response.send('<a href="/login">Ingresar</a>'))

app.get('/me', me)

async function me(request, response) {
  if (!request.oidc.isAuthenticated()) return response.status(401).json({ error: 'not signed in' })
  response.json({
    id_token: request.oidc.idTokenClaims,
    kid: JSON.parse(Buffer.from(request.oidc.idToken.split('.')[0], 'base64url')).kid,
    userinfo: await request.oidc.fetchUserInfo(),
    access_token: crypto.createHash('sha256').update(request.oidc.accessToken.access_token).digest('hex').slice(0, 16),
  })
}

app.get('/refresh', async (request, response) => {
  await request.oidc.accessToken.refresh()
  await me(request, response)
})

app.listen(Number(PORT), '127.0.0.1')
