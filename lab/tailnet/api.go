package main

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// api is the part of the Tailscale API v2 that the project uses.
type api struct{ *tailnet }

// caller is who asks: a person with an API key, or an OAuth client with its scopes and tags.
type caller struct {
	isOAuth bool
	userID  string
	scopes  []string
	tags    []string
}

// may tells whether the caller has a scope. "all" is every one; a scope is also its own reading half.
func (c caller) may(scope string) bool {
	if !c.isOAuth {
		return true
	}
	reads := strings.TrimSuffix(scope, ":read")
	return slices.ContainsFunc(c.scopes, func(s string) bool {
		return s == scope || s == reads || s == "all" || s == "all:read" && reads != scope ||
			strings.HasPrefix(scope, s+":")
	})
}

// failure is an answer other than success.
type failure struct {
	status  int
	message string
	data    any
}

type handler func(r *http.Request, by caller) (any, *failure)

func bad(err error) *failure { return &failure{status: http.StatusBadRequest, message: err.Error()} }

var (
	unauthorized = &failure{status: http.StatusUnauthorized, message: "API token invalid"}
	forbidden    = &failure{status: http.StatusForbidden, message: "calling actor does not have enough permissions to perform this function"}
	notFound     = &failure{status: http.StatusNotFound, message: "not found"}
)

func (a *api) routes(mux *http.ServeMux) {
	const tailnet, device = "/api/v2/tailnet/{tailnet}", "/api/v2/device/{device}"
	handle := func(pattern, scope string, h handler) {
		mux.HandleFunc(pattern, a.guarded(func(w http.ResponseWriter, r *http.Request) { a.answer(w, r, scope, h) }))
	}
	handle("GET "+tailnet+"/keys", "auth_keys:read", a.listKeys)
	handle("POST "+tailnet+"/keys", "auth_keys", a.createKey)
	handle("GET "+tailnet+"/keys/{key}", "auth_keys:read", a.getKey)
	handle("DELETE "+tailnet+"/keys/{key}", "auth_keys", a.deleteKey)
	handle("GET "+tailnet+"/devices", "devices:core:read", a.listDevices)
	handle("GET "+device, "devices:core:read", a.device((*api).getDevice))
	handle("DELETE "+device, "devices:core", a.device((*api).deleteDevice))
	handle("POST "+device+"/expire", "devices:core", a.device((*api).expireDevice))
	handle("POST "+device+"/authorized", "devices:core", a.device((*api).authorizeDevice))
	handle("POST "+device+"/tags", "devices:core", a.device((*api).tagDevice))
	handle("POST "+device+"/name", "devices:core", a.device((*api).nameDevice))
	handle("POST "+device+"/key", "devices:core", a.device((*api).setDeviceKey))
	handle("GET "+tailnet+"/dns/{part}", "dns:read", a.getDNS)
	handle("POST "+tailnet+"/dns/{part}", "dns", a.setDNS)
	handle("PUT "+tailnet+"/dns/split-dns", "dns", a.setDNS)
	handle("PATCH "+tailnet+"/dns/split-dns", "dns", a.setDNS)
	handle("POST "+tailnet+"/acl/validate", "policy_file:read", a.validatePolicy)
	// These two speak HuJSON as well, and ETags.
	mux.HandleFunc("GET "+tailnet+"/acl", a.guarded(a.getPolicy))
	mux.HandleFunc("POST "+tailnet+"/acl", a.guarded(a.setPolicy))
	mux.HandleFunc("POST /api/v2/oauth/token", a.guarded(a.token))
	mux.HandleFunc("/api/v2/", a.guarded(func(w http.ResponseWriter, _ *http.Request) { fail(w, notFound) }))
}

// guarded is the service's front: whatever a test has made wrong with it.
func (a *api) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		fault := a.faults.API
		a.mu.Unlock()
		if fault == "unwritable" && isWrite(r) {
			fault = "unavailable"
		}
		switch fault {
		case "down":
			panic(http.ErrAbortHandler)
		case "unavailable":
			fail(w, &failure{status: http.StatusServiceUnavailable, message: "service unavailable"})
		case "forbidden":
			fail(w, forbidden)
		case "html":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, "<html><body><h1>502 Bad Gateway</h1></body></html>\n")
		default:
			next(w, r)
		}
	}
}

// isWrite tells whether a request would change something. Failing, it is what no look beforehand can tell.
func isWrite(r *http.Request) bool {
	isLook := r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/acl/validate")
	return !isLook && r.URL.Path != "/api/v2/oauth/token"
}

// answer checks who asks and for which tailnet, then lets the handler work on a state that nobody else changes.
func (a *api) answer(w http.ResponseWriter, r *http.Request, scope string, h handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	by, f := a.admitLocked(r, scope)
	if f != nil {
		fail(w, f)
		return
	}
	body, f := h(r, by)
	if f != nil {
		fail(w, f)
		return
	}
	reply(w, http.StatusOK, body)
}

func (a *api) admitLocked(r *http.Request, scope string) (caller, *failure) {
	by, ok := a.callerLocked(r)
	if !ok {
		return by, unauthorized
	}
	if !by.may(scope) {
		return by, forbidden
	}
	if name := r.PathValue("tailnet"); name != "" && name != "-" && name != a.config.Tailnet {
		return by, &failure{status: http.StatusNotFound, message: "tailnet not found"}
	}
	return by, nil
}

// callerLocked reads the credentials: an API key as the user of Basic, or an API key or access token as Bearer.
func (a *api) callerLocked(r *http.Request) (caller, bool) {
	shown, _, isBasic := r.BasicAuth()
	if !isBasic {
		shown, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	if a.apiKeys[shown] {
		return caller{userID: "u1CNTRL"}, true
	}
	token, ok := a.tokens[shown]
	if !ok || !a.now().Before(token.expires) {
		return caller{}, false
	}
	return caller{isOAuth: true, scopes: token.scopes, tags: token.tags}, true
}

func fail(w http.ResponseWriter, f *failure) {
	body := map[string]any{"message": f.message}
	if f.data != nil {
		body["data"] = f.data
	}
	reply(w, f.status, body)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if body != nil {
		json.NewEncoder(w).Encode(body)
	}
}

// read decodes a request's JSON.
func read(r *http.Request, into any) *failure {
	if err := json.NewDecoder(io.LimitReader(r.Body, messageLimit)).Decode(into); err != nil {
		return &failure{status: http.StatusBadRequest, message: "invalid JSON: " + err.Error()}
	}
	return nil
}
