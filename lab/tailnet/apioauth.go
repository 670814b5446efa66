package main

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const tokenLife = time.Hour

type accessToken struct {
	scopes, tags []string
	expires      time.Time
}

// token exchanges an OAuth client's credentials for an access token of an hour, as wide as asked for or as permitted.
func (a *api) token(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id, secret, isBasic := r.BasicAuth()
	if !isBasic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	client := a.clientOf(id, secret)
	if client == nil {
		fail(w, unauthorized)
		return
	}
	scopes, tags := client.Scopes, client.Tags
	if asked := strings.Fields(r.PostFormValue("scope")); len(asked) > 0 {
		whole := caller{isOAuth: true, scopes: client.Scopes}
		if slices.ContainsFunc(asked, func(s string) bool { return !whole.may(s) }) {
			fail(w, forbidden)
			return
		}
		scopes = asked
	}
	if asked := strings.Fields(r.PostFormValue("tags")); len(asked) > 0 {
		if slices.ContainsFunc(asked, func(s string) bool { return !slices.Contains(client.Tags, s) }) {
			fail(w, forbidden)
			return
		}
		tags = asked
	}
	text := "tskey-api-" + newID("k") + "-" + newSecret()
	a.tokens[text] = accessToken{scopes: scopes, tags: tags, expires: a.now().Add(tokenLife)}
	reply(w, http.StatusOK, map[string]any{
		"access_token": text, "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "scope": strings.Join(scopes, " "),
	})
}

func (a *api) clientOf(id, secret string) *oauthClient {
	for i := range a.config.OAuthClients {
		if c := &a.config.OAuthClients[i]; id != "" && c.ID == id && c.Secret == secret {
			return c
		}
	}
	return nil
}
