// An application that relies on Clave through go-oidc.
package main

import (
	"context"
	"crypto/rand"
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
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type session struct {
	state, nonce, verifier, rawIDToken string
	claims                             map[string]any
	token                              *oauth2.Token
}

var (
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	config   oauth2.Config
	sessions sync.Map
)

func main() {
	var err error
	if provider, err = oidc.NewProvider(context.Background(), os.Getenv("ISSUER")); err != nil {
		log.Fatal(err)
	}
	config = oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		RedirectURL:  os.Getenv("REDIRECT_URI"),
		Endpoint:     provider.Endpoint(),
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}
	verifier = provider.Verifier(&oidc.Config{ClientID: config.ClientID})
	http.HandleFunc("/", home)
	http.HandleFunc("/login", login)
	http.HandleFunc("/callback", answering(callback))
	http.HandleFunc("/me", answering(me))
	http.HandleFunc("/refresh", answering(refresh))
	http.HandleFunc("/logout", answering(logout))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, `<a href="/login">Ingresar</a>`)
}

func login(w http.ResponseWriter, r *http.Request) {
	s := &session{state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	id := rand.Text()
	sessions.Store(id, s)
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	consent := oauth2.SetAuthURLParam("prompt", "consent")
	options := []oauth2.AuthCodeOption{oidc.Nonce(s.nonce), oauth2.S256ChallengeOption(s.verifier), consent}
	http.Redirect(w, r, config.AuthCodeURL(s.state, options...), http.StatusFound)
}

// answering finds the session and shows an error of the handler, if any.
func answering(handler func(*session, http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		found := (*session)(nil)
		if cookie, err := r.Cookie("session"); err == nil {
			if value, ok := sessions.Load(cookie.Value); ok {
				found = value.(*session)
			}
		}
		if found == nil {
			http.Error(w, `{"error": "not signed in"}`, http.StatusUnauthorized)
		} else if err := handler(found, w, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}
}

func callback(s *session, w http.ResponseWriter, r *http.Request) error {
	if r.FormValue("state") != s.state {
		return fmt.Errorf("another state")
	}
	token, err := config.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(s.verifier))
	if err != nil {
		return err
	}
	if err := s.keep(r.Context(), token); err != nil {
		return err
	}
	if s.claims["nonce"] != s.nonce {
		return fmt.Errorf("another nonce")
	}
	http.Redirect(w, r, "/me", http.StatusFound)
	return nil
}

// keep verifies the id token, if there is one, before anything is kept.
func (s *session) keep(ctx context.Context, token *oauth2.Token) error {
	if raw, ok := token.Extra("id_token").(string); ok {
		idToken, err := verifier.Verify(ctx, raw)
		if err != nil {
			return err
		}
		if err := idToken.Claims(&s.claims); err != nil {
			return err
		}
		s.rawIDToken = raw
	}
	s.token = token
	return nil
}

func me(s *session, w http.ResponseWriter, r *http.Request) error {
	info, err := provider.UserInfo(r.Context(), oauth2.StaticTokenSource(s.token))
	if err != nil {
		return err
	}
	var userinfo map[string]any
	if err := info.Claims(&userinfo); err != nil {
		return err
	}
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(s.rawIDToken, ".")[0])
	if err != nil {
		return err
	}
	var names struct{ Kid string }
	if err := json.Unmarshal(header, &names); err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(s.token.AccessToken))
	return json.NewEncoder(w).Encode(map[string]any{
		"id_token": s.claims, "kid": names.Kid, "userinfo": userinfo, "access_token": hex.EncodeToString(digest[:8]),
	})
}

func refresh(s *session, w http.ResponseWriter, r *http.Request) error {
	token, err := config.TokenSource(r.Context(), &oauth2.Token{RefreshToken: s.token.RefreshToken}).Token()
	if err != nil {
		return err
	}
	if err := s.keep(r.Context(), token); err != nil {
		return err
	}
	return me(s, w, r)
}

func logout(s *session, w http.ResponseWriter, r *http.Request) error {
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return err
	}
	query := url.Values{"id_token_hint": {s.rawIDToken}, "post_logout_redirect_uri": {os.Getenv("POST_LOGOUT_REDIRECT_URI")}}
	cookie, _ := r.Cookie("session")
	sessions.Delete(cookie.Value)
	http.Redirect(w, r, metadata.EndSession+"?"+query.Encode(), http.StatusFound)
	return nil
}
