// The application behind the proxy: it shows who the proxy says has signed in. The proxy has checked the id token.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<a href="/me">Ingresar</a>`)
	})
	http.HandleFunc("/me", me)
	http.HandleFunc("/logout", signOut)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("UPSTREAM_PORT"), nil))
}

func me(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		http.Error(w, `{"error": "no id token"}`, http.StatusUnauthorized)
		return
	}
	header, claims := decoded(parts[0]), decoded(parts[1])
	digest := sha256.Sum256([]byte(r.Header.Get("X-Forwarded-Access-Token")))
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id_token":     claims,
		"kid":          header["kid"],
		"userinfo":     map[string]any{"sub": r.Header.Get("X-Forwarded-User"), "email": r.Header.Get("X-Forwarded-Email")},
		"access_token": hex.EncodeToString(digest[:8]),
	})
}

// signOut leaves the proxy, which sends the browser on to leave the provider.
func signOut(w http.ResponseWriter, r *http.Request) {
	provider := os.Getenv("END_SESSION") + "?" + url.Values{
		"id_token_hint":            {strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")},
		"post_logout_redirect_uri": {os.Getenv("POST_LOGOUT_REDIRECT_URI")},
	}.Encode()
	http.Redirect(w, r, "/oauth2/sign_out?"+url.Values{"rd": {provider}}.Encode(), http.StatusFound)
}

func decoded(part string) map[string]any {
	values := map[string]any{}
	if text, err := base64.RawURLEncoding.DecodeString(part); err == nil {
		_ = json.Unmarshal(text, &values)
	}
	return values
}
