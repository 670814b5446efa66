package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// defaultPolicy is what a new tailnet has: everybody reaches everything.
const defaultPolicy = `// The policy of a new tailnet.
{
	"grants": [
		// Allow all connections. Comment this section out to define specific restrictions.
		{"src": ["*"], "dst": ["*"], "ip": ["*"]},
	],

	"ssh": [
		{
			"action": "check",
			"src":    ["autogroup:member"],
			"dst":    ["autogroup:self"],
			"users":  ["autogroup:nonroot", "root"],
		},
	],
}
`

// policy is a policy file, read and checked.
type policy struct {
	text  string // byte for byte as it came
	file  policyFile
	rules []rule
}

// policyFile has every section that the service knows; those that mean nothing here are only carried.
type policyFile struct {
	Groups    map[string][]string `json:"groups"`
	Hosts     map[string]string   `json:"hosts"`
	IPSets    map[string][]string `json:"ipsets"`
	TagOwners map[string][]string `json:"tagOwners"`
	ACLs      []aclEntry          `json:"acls"`
	Grants    []grantEntry        `json:"grants"`
	SSH       []sshEntry          `json:"ssh"`
	Tests     []policyTest        `json:"tests"`
	SSHTests  []sshTest           `json:"sshTests"`

	AutoApprovers       json.RawMessage `json:"autoApprovers"`
	NodeAttrs           json.RawMessage `json:"nodeAttrs"`
	Postures            json.RawMessage `json:"postures"`
	DefaultSrcPosture   json.RawMessage `json:"defaultSrcPosture"`
	AttrConfig          json.RawMessage `json:"attrConfig"`
	DERPMap             json.RawMessage `json:"derpMap"`
	DisableIPv4         json.RawMessage `json:"disableIPv4"`
	OneCGNATRoute       json.RawMessage `json:"oneCGNATRoute"`
	RandomizeClientPort json.RawMessage `json:"randomizeClientPort"`
}

type aclEntry struct {
	Action     string          `json:"action"`
	Src        []string        `json:"src"`
	Dst        []string        `json:"dst"`
	Proto      string          `json:"proto"`
	SrcPosture json.RawMessage `json:"srcPosture"`
}

type grantEntry struct {
	Src        []string        `json:"src"`
	Dst        []string        `json:"dst"`
	IP         []string        `json:"ip"`
	App        json.RawMessage `json:"app"`
	SrcPosture json.RawMessage `json:"srcPosture"`
	Via        json.RawMessage `json:"via"`
}

type sshEntry struct {
	Action      string          `json:"action"`
	Src         []string        `json:"src"`
	Dst         []string        `json:"dst"`
	Users       []string        `json:"users"`
	CheckPeriod string          `json:"checkPeriod"`
	AcceptEnv   []string        `json:"acceptEnv"`
	Recorder    json.RawMessage `json:"recorder"`
	SrcPosture  json.RawMessage `json:"srcPosture"`
}

// parsePolicy reads a policy file. Tests are not run; see runTests.
func parsePolicy(text string) (*policy, error) {
	standard, err := hujson.Standardize([]byte(text))
	if err != nil {
		return nil, err
	}
	p := &policy{text: text}
	decoder := json.NewDecoder(bytes.NewReader(standard))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p.file); err != nil {
		return nil, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if err := p.checkNames(); err != nil {
		return nil, err
	}
	if p.rules, err = p.compile(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *policy) hasTag(tag string) bool {
	_, ok := p.file.TagOwners[tag]
	return ok
}

// tagsOwn tells whether a holder of some tags may give another: one of them itself, or one that they own.
func (p *policy) tagsOwn(tags []string, tag string) bool {
	if slices.Contains(tags, tag) {
		return p.hasTag(tag)
	}
	return slices.ContainsFunc(tags, func(t string) bool { return slices.Contains(p.file.TagOwners[tag], t) })
}

// checkNames refuses every selector that names nothing.
func (p *policy) checkNames() error {
	for _, tag := range slices.Sorted(maps.Keys(p.file.TagOwners)) {
		if !strings.HasPrefix(tag, "tag:") || len(tag) == len("tag:") {
			return fmt.Errorf("tagOwners: %q is not a tag", tag)
		}
		if err := p.checkSelectors("tagOwners["+tag+"]", p.file.TagOwners[tag]); err != nil {
			return err
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(p.file.Hosts)) {
		if _, err := parsePrefix(p.file.Hosts[alias]); err != nil {
			return fmt.Errorf("hosts[%s]: %w", alias, err)
		}
	}
	for i, entry := range p.file.SSH {
		where := fmt.Sprintf("ssh[%d]", i)
		if entry.Action != "accept" && entry.Action != "check" {
			return fmt.Errorf("%s: action %q is not valid", where, entry.Action)
		}
		if err := p.checkSelectors(where, append(slices.Clone(entry.Src), entry.Dst...)); err != nil {
			return err
		}
	}
	return nil
}

func (p *policy) checkSelectors(where string, selectors []string) error {
	for _, s := range selectors {
		if err := p.checkSelector(s); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

func (p *policy) checkSelector(s string) error {
	kind, _, hasKind := strings.Cut(s, ":")
	known := true
	switch {
	case s == "*" || strings.Contains(s, "@"):
	case kind == "tag" && hasKind:
		if !p.hasTag(s) {
			return fmt.Errorf("tag not found: %q", s)
		}
	case kind == "group" && hasKind:
		_, known = p.file.Groups[s]
	case kind == "ipset" && hasKind:
		_, known = p.file.IPSets[s]
	case kind == "autogroup" && hasKind:
		known = slices.Contains(autogroups, s)
	default:
		if _, known = p.file.Hosts[s]; !known {
			_, err := parsePrefix(s)
			known = err == nil
		}
	}
	if !known {
		return fmt.Errorf("%q is not a known user, group, tag, host or address", s)
	}
	return nil
}

var autogroups = []string{
	"autogroup:member", "autogroup:members", "autogroup:tagged", "autogroup:self", "autogroup:internet",
	"autogroup:admin", "autogroup:owner", "autogroup:it-admin", "autogroup:network-admin",
	"autogroup:billing-admin", "autogroup:auditor", "autogroup:shared", "autogroup:danger-all",
}

func parsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not an address", s)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}
