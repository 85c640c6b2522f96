// An application that relies on Clave through Auth.js (@auth/core), which speaks in web Requests and Responses.
import crypto from 'node:crypto'
import http from 'node:http'
import { Auth, skipCSRFCheck } from '@auth/core'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, POST_LOGOUT_REDIRECT_URI, PORT } = process.env
const metadata = await (await fetch(ISSUER + '/.well-known/openid-configuration')).json()
const sessions = new Map() // tokens by subject: Auth.js keeps only what its callbacks hand on
const config = {
  basePath: '/auth',
  trustHost: true,
  secret: crypto.randomUUID(),
  providers: [
    {
      id: 'clave',
      name: 'Clave',
      type: 'oidc',
      issuer: ISSUER,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      checks: ['pkce', 'state', 'nonce'],
      client: { id_token_signed_response_alg: 'ES256' },
      authorization: { params: { scope: 'openid profile email' } },
    },
  ],
  callbacks: {
    jwt: ({ token, account, profile }) => {
      if (account) sessions.set(token.sub, { account, profile })
      return account ? { ...token, tokens: token.sub } : token
    },
    session: ({ session, token }) => ({ ...session, tokens: token.tokens }),
    redirect: ({ url }) => url,
  },
}

async function me(request) {
  const session = await (await Auth(new Request(new URL('/auth/session', request.url), request), config)).json()
  const { account, profile } = sessions.get(session?.tokens) ?? {}
  if (!account) return Response.json({ error: 'not signed in' }, { status: 401 })
  const headers = { authorization: `Bearer ${account.access_token}` }
  return Response.json({
    id_token: profile,
    kid: JSON.parse(Buffer.from(account.id_token.split('.')[0], 'base64url')).kid,
    userinfo: await (await fetch(metadata.userinfo_endpoint, { headers })).json(),
    access_token: crypto.createHash('sha256').update(account.access_token).digest('hex').slice(0, 16),
  })
}

// Auth.js ends its own session; leaving the provider is up to the application.
async function logout(request) {
  const session = await (await Auth(new Request(new URL('/auth/session', request.url), request), config)).json()
  const post = new Request(new URL('/auth/signout', request.url), { method: 'POST', headers: request.headers })
  const { headers } = await Auth(post, { ...config, skipCSRFCheck })
  const url = new URL(metadata.end_session_endpoint)
  url.search = new URLSearchParams({
    id_token_hint: sessions.get(session.tokens).account.id_token,
    post_logout_redirect_uri: POST_LOGOUT_REDIRECT_URI,
  })
  headers.set('location', url.href)
  return new Response(null, { status: 302, headers })
}

const html = (text) => new Response(text, { headers: { 'content-type': 'text/html' } })
const pages = {
  '/': () => html('<a href="/auth/signin?callbackUrl=%2Fme">Ingresar</a>'),
  '/me': me,
  '/logout': logout,
}

http.createServer(async (incoming, outgoing) => {
  const body = incoming.method === 'POST' ? incoming : undefined
  const url = new URL(incoming.url, REDIRECT_URI)
  const request = new Request(url, { method: incoming.method, headers: incoming.headers, body, duplex: 'half' })
  const response = url.pathname.startsWith('/auth/') ? await Auth(request, config) : await pages[url.pathname]?.(request)
  outgoing.statusCode = response?.status ?? 404
  response?.headers.forEach((value, name) => name === 'set-cookie' || outgoing.setHeader(name, value))
  outgoing.setHeader('set-cookie', response?.headers.getSetCookie() ?? [])
  outgoing.end(await response?.text())
}).listen(Number(PORT), '127.0.0.1')
