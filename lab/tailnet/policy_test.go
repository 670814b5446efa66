package main

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

const fleetPolicy = `{
	// A comment, and a trailing comma.
	"groups":    {"group:ops": ["ann@lab.example"]},
	"hosts":     {"nas": "192.0.2.7"},
	"tagOwners": {"tag:voter": ["autogroup:admin"], "tag:vast": ["tag:fleet"], "tag:fleet": []},
	"grants": [
		{"src": ["tag:voter", "tag:vast"], "dst": ["tag:voter"], "ip": ["tcp:8770"]},
		{"src": ["group:ops"], "dst": ["tag:voter", "tag:vast"], "ip": ["22", "icmp:*"]},
	],
	"acls": [{"action": "accept", "src": ["tag:vast"], "proto": "udp", "dst": ["nas:53,1000-1010"]}],
	"ssh": [
		{"action": "check", "src": ["group:ops"], "dst": ["tag:vast"], "users": ["root"]},
		{"action": "accept", "src": ["group:ops"], "dst": ["tag:voter", "tag:vast"], "users": ["autogroup:nonroot"]},
	],
}`

func parse(t *testing.T, text string) *policy {
	t.Helper()
	p, err := parsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func nobody(netip.Addr) (entity, bool) { return entity{}, false }

func TestPolicyWithoutRules(t *testing.T) {
	tagged := entity{tags: []string{"tag:a"}}
	for text, want := range map[string]bool{`{}`: true, `{"grants": []}`: false, `{"acls": []}`: false} {
		if got := parse(t, text).allows(tagged, tagged, protoTCP, 22); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestAllows(t *testing.T) {
	p := parse(t, fleetPolicy)
	voter, vast := entity{tags: []string{"tag:voter"}}, entity{tags: []string{"tag:vast"}}
	ann, bob := entity{user: "ann@lab.example"}, entity{user: "bob@lab.example"}
	nas := entity{addrs: []netip.Addr{netip.MustParseAddr("192.0.2.7")}}
	for _, c := range []struct {
		name     string
		from, to entity
		proto    int
		port     uint16
		want     bool
	}{
		{"voter to voter", voter, voter, protoTCP, 8770, true},
		{"rented to voter", vast, voter, protoTCP, 8770, true},
		{"voter to rented", voter, vast, protoTCP, 8770, false},
		{"another port", vast, voter, protoTCP, 22, false},
		{"another protocol", vast, voter, protoUDP, 8770, false},
		{"a member of the group", ann, vast, protoTCP, 22, true},
		{"a port without a protocol is UDP too", ann, vast, protoUDP, 22, true},
		{"ping", ann, voter, protoICMP, 0, true},
		{"a stranger", bob, voter, protoTCP, 22, false},
		{"a tagged device is nobody's", entity{user: "ann@lab.example", tags: []string{"tag:fleet"}}, vast, protoTCP, 22, false},
		{"a host's range of ports", vast, nas, protoUDP, 1005, true},
		{"beyond the range", vast, nas, protoUDP, 1011, false},
	} {
		if got := p.allows(c.from, c.to, c.proto, c.port); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
	if !p.sees(voter, vast) || p.sees(vast, vast) || p.sees(entity{tags: []string{"tag:fleet"}}, voter) {
		t.Error("who knows of whom is wrong")
	}
}

func TestDefaultPolicyAllowsEverything(t *testing.T) {
	p := parse(t, defaultPolicy)
	if !p.allows(entity{user: "a@x"}, entity{tags: []string{"tag:any"}}, protoTCP, 1) {
		t.Error("the default policy holds something back")
	}
}

func TestSSHAction(t *testing.T) {
	p := parse(t, fleetPolicy)
	ann, vast := entity{user: "ann@lab.example"}, entity{tags: []string{"tag:vast"}}
	got := []string{p.sshAction(ann, vast, "root"), p.sshAction(ann, vast, "ubuntu"), p.sshAction(vast, vast, "root")}
	if want := []string{"check", "accept", "deny"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRunTests(t *testing.T) {
	p := parse(t, strings.TrimSuffix(fleetPolicy, "}")+`
	"tests": [
		{"src": "tag:vast", "accept": ["tag:voter:8770"], "deny": ["tag:voter:22", "tag:vast:8770"]},
		{"src": "tag:vast", "proto": "udp", "accept": ["nas:53"]},
		{"src": "tag:voter", "accept": ["tag:vast:8770"], "deny": ["tag:voter:8770", "nas:1-2"]},
	],
	"sshTests": [{"src": "ann@lab.example", "dst": ["tag:vast"], "accept": ["ubuntu"], "check": ["root"], "deny": ["ubuntu"]}],
}`)
	want := []testFailure{
		{User: "tag:voter", Errors: []string{
			`address "tag:vast:8770": want: Accept, got: Drop`,
			`address "tag:voter:8770": want: Drop, got: Accept`,
			`address "nas:1-2": a test takes exactly one port`,
		}},
		{User: "ann@lab.example", Errors: []string{"ubuntu@tag:vast: want: deny, got: accept"}},
	}
	if got := p.runTests(nobody); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"grants": [`:  "unexpected EOF",
		`{"grant": []}`: `unknown field "grant"`,
		`{"grants": [{"src": ["tag:x"], "dst": ["*"], "ip": ["*"]}]}`:                    `tag not found: "tag:x"`,
		`{"grants": [{"src": ["*"], "dst": ["nas"], "ip": ["*"]}]}`:                      `"nas" is not a known user, group, tag, host or address`,
		`{"grants": [{"src": ["*"], "dst": ["*"], "ip": ["tcp:0-x"]}]}`:                  `"0-x" is not a port or a range of ports`,
		`{"grants": [{"src": ["*"], "dst": ["*"]}]}`:                                     `one of "ip" and "app" is required`,
		`{"acls": [{"action": "deny", "src": ["*"], "dst": ["*:*"]}]}`:                   `action "deny" is not valid`,
		`{"acls": [{"action": "accept", "src": ["*"], "dst": ["*"]}]}`:                   `"*" has no ports`,
		`{"tagOwners": {"voter": []}}`:                                                   `"voter" is not a tag`,
		`{"ssh": [{"action": "accept", "src": ["group:x"], "dst": ["*"], "users": []}]}`: `"group:x" is not a known`,
	} {
		if _, err := parsePolicy(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
