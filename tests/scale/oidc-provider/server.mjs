// npm's oidc-provider as script/bench sso sets it beside Clave: one process, everything in memory, refresh tokens
// rotated, ID tokens signed with RS256. Prints, as one line of JSON, what the load generator needs.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const port = Number(process.env.PORT);
const atOnce = Number(process.env.AT_ONCE);
const signing = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const client_id = "bench";
const client_secret = "bench-secret-of-forty-characters-or-more";
const scope = "openid profile email offline_access";
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id,
      client_secret,
      redirect_uris: ["https://app.example.cl/cb"],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "client_secret_post",
    },
  ],
  features: { introspection: { enabled: true } },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  jwks: { keys: [{ ...signing, use: "sig", alg: "RS256" }] },
  rotateRefreshToken: true,
});

async function tokens(accountId) {
  const client = await provider.Client.find(client_id);
  const grant = new provider.Grant({ accountId, clientId: client_id });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const about = { accountId, client, grantId, scope, gty: "authorization_code", authTime: Math.floor(Date.now() / 1000) };
  const refresh = await new provider.RefreshToken(about).save();
  return { refresh, access: await new provider.AccessToken(about).save() };
}

provider.listen(port, "127.0.0.1", async () => {
  const made = await Promise.all(Array.from({ length: atOnce }, (_, number) => tokens(`person-${number}`)));
  const refresh = made.map((each) => each.refresh);
  console.log(JSON.stringify({ client_id, client_secret, refresh, access: made[0].access }));
});
