package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// client speaks to the API of a tailnet.
type client struct {
	t      *testing.T
	server *httptest.Server
	// auth is what goes into the header; an API key by default.
	auth string
}

func newClient(t *testing.T) (*client, *tailnet, *time.Time) {
	n, now := labTailnet(t)
	server := httptest.NewServer(n.handler())
	t.Cleanup(server.Close)
	return &client{t, server, "Bearer tskey-api-1"}, n, now
}

type answer struct {
	status int
	body   string
	header http.Header
}

func (c *client) do(method, path, body string, headers ...string) answer {
	c.t.Helper()
	r, err := http.NewRequest(method, c.server.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", c.auth)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.server.Client().Do(r)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return answer{response.StatusCode, strings.TrimSpace(string(text)), response.Header}
}

func (c *client) want(got answer, status int, body string) {
	c.t.Helper()
	if got.status != status || body != "" && got.body != body {
		c.t.Errorf("got %d %s, want %d %s", got.status, got.body, status, body)
	}
}

const tailnetPath = "/api/v2/tailnet/-"

func TestPolicyByteForByteAndETags(t *testing.T) {
	c, n, _ := newClient(t)
	n.isDefault = true
	hujson := []string{"Content-Type", "application/hujson"}
	set := c.do("POST", tailnetPath+"/acl", fleetPolicy, append(hujson, "If-Match", `"ts-default"`)...)
	c.want(set, 200, fleetPolicy)
	got := c.do("GET", tailnetPath+"/acl", "", "Accept", "application/hujson")
	c.want(got, 200, fleetPolicy)
	if got.header.Get("ETag") != set.header.Get("ETag") {
		t.Error("the ETag changed without the policy")
	}
	stale := `{"message":"precondition failed, invalid old hash"}`
	c.want(c.do("POST", tailnetPath+"/acl", "{}", append(hujson, "If-Match", `"ts-default"`)...), 412, stale)
	c.want(c.do("POST", tailnetPath+"/acl", "{}", append(hujson, "If-Match", `"stale"`)...), 412, stale)
	c.want(c.do("POST", tailnetPath+"/acl", "{}", append(hujson, "If-Match", got.header.Get("ETag"))...), 200, "{}")
	c.want(c.do("POST", tailnetPath+"/acl", "", hujson...), 200, "")
	if reset := c.do("GET", tailnetPath+"/acl", "", "Accept", "application/json"); !n.isDefault || !json.Valid([]byte(reset.body)) {
		t.Errorf("got %s", reset.body)
	}
}

func TestPolicyTestsAreRun(t *testing.T) {
	c, n, _ := newClient(t)
	before := n.policy.text
	failing := `{"tagOwners": {"tag:a": []}, "grants": [{"src": ["tag:a"], "dst": ["tag:a"], "ip": ["*"]}],
		"tests": [{"src": "tag:a", "deny": ["tag:a:22"]}]}`
	failed := `{"data":[{"user":"tag:a","errors":["address \"tag:a:22\": want: Drop, got: Accept"]}],"message":"test(s) failed"}`
	c.want(c.do("POST", tailnetPath+"/acl", failing), 400, failed)
	c.want(c.do("POST", tailnetPath+"/acl/validate", failing), 200, failed)
	c.want(c.do("POST", tailnetPath+"/acl/validate", fleetPolicy), 200, "{}")
	c.want(c.do("POST", tailnetPath+"/acl", `{"acls": [1]}`), 400, "")
	if n.policy.text != before {
		t.Error("a refused policy was taken")
	}
}

func TestKeys(t *testing.T) {
	c, _, now := newClient(t)
	body := `{"capabilities":{"devices":{"create":{"reusable":true,"tags":["tag:vast"]}}},"expirySeconds":60,"description":"for a test"}`
	made := c.do("POST", tailnetPath+"/keys", body)
	var k wireKey
	json.Unmarshal([]byte(made.body), &k)
	if made.status != 200 || k.KeyType != "auth" || k.ExpirySeconds != 60 || !strings.HasPrefix(k.Key, "tskey-auth-"+k.ID+"-") {
		t.Fatalf("%+v", made)
	}
	path := tailnetPath + "/keys/" + k.ID
	shown := c.do("GET", path, "")
	if strings.Contains(shown.body, k.Key) || strings.Contains(shown.body, "invalid") {
		t.Errorf("%s", shown.body)
	}
	*now = now.Add(time.Minute)
	if got := c.do("GET", path, ""); !strings.Contains(got.body, `"invalid":true`) {
		t.Errorf("an expired key: %s", got.body)
	}
	c.want(c.do("GET", tailnetPath+"/keys", ""), 200, `{"keys":[]}`)
	c.want(c.do("DELETE", path, ""), 200, "")
	c.want(c.do("DELETE", path, ""), 404, `{"message":"not found"}`)
	if got := c.do("GET", path, ""); !strings.Contains(got.body, `"revoked":"2026-`) {
		t.Errorf("a revoked key: %s", got.body)
	}
	c.want(c.do("POST", tailnetPath+"/keys", `{"capabilities":{"devices":{"create":{"tags":["tag:x"]}}}}`), 400,
		`{"message":"requested tags [tag:x] are invalid or not permitted"}`)
}

func TestDevices(t *testing.T) {
	c, n, _ := newClient(t)
	for _, name := range []string{"h1", "h2"} {
		newDevice().join(n, n.mustKey(keyRequest{tags: []string{"tag:voter"}}).String(), name)
	}
	ids := func(query string) (names []string) {
		var body struct{ Devices []wireDevice }
		json.Unmarshal([]byte(c.do("GET", tailnetPath+"/devices"+query, "").body), &body)
		for _, d := range body.Devices {
			names = append(names, d.Name)
		}
		return names
	}
	if got := ids("?fields=all&hostname=h2"); len(got) != 1 || got[0] != "h2.lab.ts.net" {
		t.Errorf("%v", got)
	}
	if got := ids("?tags=tag:vast"); len(got) != 0 {
		t.Errorf("%v", got)
	}
	h2 := n.byIDLocked("2")
	c.want(c.do("POST", "/api/v2/device/2/tags", `{"tags":[]}`), 400, "")
	c.want(c.do("POST", "/api/v2/device/2/tags", `{"tags":["tag:vast"]}`), 200, "")
	c.want(c.do("POST", "/api/v2/device/2/name", `{"name":"h1"}`), 409, "")
	c.want(c.do("POST", "/api/v2/device/2/name", `{"name":"gpu"}`), 200, "")
	if h2.name != "gpu" || h2.tags[0] != "tag:vast" {
		t.Errorf("%+v", h2)
	}
	c.want(c.do("DELETE", "/api/v2/device/"+h2.stable, ""), 200, "")
	c.want(c.do("GET", "/api/v2/device/2", ""), 404, `{"message":"no matching device found"}`)
	if got := ids(""); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestDNS(t *testing.T) {
	c, _, _ := newClient(t)
	dns := tailnetPath + "/dns/"
	c.want(c.do("GET", dns+"preferences", ""), 200, `{"magicDNS":true}`)
	c.want(c.do("POST", dns+"preferences", `{"magicDNS":false}`), 200, `{"magicDNS":false}`)
	c.want(c.do("POST", dns+"nameservers", `{"dns":["192.0.2.1"]}`), 200, `{"dns":["192.0.2.1"]}`)
	c.want(c.do("POST", dns+"searchpaths", `{"searchPaths":["example.com"]}`), 200, `{"searchPaths":["example.com"]}`)
	c.want(c.do("PUT", dns+"split-dns", `{"a.example":["192.0.2.2"]}`), 200, `{"a.example":["192.0.2.2"]}`)
	c.want(c.do("PATCH", dns+"split-dns", `{"b.example":["192.0.2.3"],"a.example":[]}`), 200, `{"b.example":["192.0.2.3"]}`)
	c.want(c.do("GET", dns+"configuration", ""), 200,
		`{"nameservers":[{"address":"192.0.2.1"}],"splitDNS":{"b.example":[{"address":"192.0.2.3"}]},"searchPaths":["example.com"],"preferences":{"overrideLocalDNS":true,"magicDNS":false}}`)
	c.want(c.do("GET", dns+"nothing", ""), 404, `{"message":"not found"}`)
}

func TestWhoMay(t *testing.T) {
	c, n, now := newClient(t)
	n.config.OAuthClients = []oauthClient{{ID: "id", Secret: "s", Scopes: []string{"auth_keys"}, Tags: []string{"tag:fleet"}}}
	denied := `{"message":"calling actor does not have enough permissions to perform this function"}`
	form := url.Values{"client_id": {"id"}, "client_secret": {"s"}}.Encode()
	asForm := []string{"Content-Type", "application/x-www-form-urlencoded"}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	c.auth = ""
	json.Unmarshal([]byte(c.do("POST", "/api/v2/oauth/token", form, asForm...).body), &token)
	c.want(c.do("POST", "/api/v2/oauth/token", form+"x", asForm...), 401, `{"message":"API token invalid"}`)
	c.want(c.do("POST", "/api/v2/oauth/token", form+"&scope=all", asForm...), 403, denied)
	c.want(c.do("GET", tailnetPath+"/keys", ""), 401, `{"message":"API token invalid"}`)
	c.auth = "Bearer " + token.AccessToken
	c.want(c.do("GET", tailnetPath+"/keys", ""), 200, `{"keys":[]}`)
	c.want(c.do("GET", tailnetPath+"/acl", ""), 403, denied)
	c.want(c.do("GET", "/api/v2/tailnet/other.example/keys", ""), 404, `{"message":"tailnet not found"}`)
	*now = now.Add(tokenLife)
	c.want(c.do("GET", tailnetPath+"/keys", ""), 401, `{"message":"API token invalid"}`)
}

func TestScopes(t *testing.T) {
	for _, c := range []struct {
		has, wants string
		want       bool
	}{
		{"all", "dns", true}, {"all:read", "dns:read", true}, {"all:read", "dns", false},
		{"dns", "dns:read", true}, {"dns:read", "dns", false},
		{"devices:core", "devices:core:read", true}, {"devices", "devices:core", true}, {"auth_keys", "dns", false},
	} {
		if got := (caller{isOAuth: true, scopes: []string{c.has}}).may(c.wants); got != c.want {
			t.Errorf("%s for %s: got %v", c.has, c.wants, got)
		}
	}
}

func TestFaultsAndRotation(t *testing.T) {
	c, _, _ := newClient(t)
	set := func(body string) { c.want(c.do("POST", "/lab/faults", body), 200, "") }
	set(`{"api":"forbidden"}`)
	c.want(c.do("GET", tailnetPath+"/keys", ""), 403, "")
	set(`{"api":"unavailable"}`)
	c.want(c.do("GET", tailnetPath+"/keys", ""), 503, `{"message":"service unavailable"}`)
	set(`{"api":"unwritable"}`)
	c.want(c.do("GET", tailnetPath+"/keys", ""), 200, "")
	c.want(c.do("POST", tailnetPath+"/acl/validate", "{}"), 200, "")
	c.want(c.do("POST", tailnetPath+"/keys", "{}"), 503, "")
	set(`{"api":"html"}`)
	c.want(c.do("GET", tailnetPath+"/keys", ""), 502, "")
	set(`{"api":"down"}`)
	c.want(c.do("GET", tailnetPath+"/keys", ""), 0, "")
	set(`{"api":"up","control":"down"}`)
	c.want(c.do("GET", "/key?v=100", ""), 0, "")
	c.want(c.do("POST", "/lab/faults", `{"api":"broken"}`), 400, "")
	c.want(c.do("POST", "/lab/faults", `{"apis":"up"}`), 400, "")
	c.want(c.do("GET", tailnetPath+"/keys", ""), 200, "")
	c.want(c.do("POST", "/lab/api-keys", `{"add":["tskey-api-2"],"revoke":["tskey-api-1"]}`), 200, `{"valid":1}`)
	c.want(c.do("GET", tailnetPath+"/keys", ""), 401, "")
	c.auth = "Bearer tskey-api-2"
	c.want(c.do("GET", tailnetPath+"/keys", ""), 200, "")
}
