package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// policyTest is an entry of "tests".
type policyTest struct {
	Src             string            `json:"src"`
	SrcPostureAttrs map[string]string `json:"srcPostureAttrs"`
	Proto           string            `json:"proto"`
	Accept          []string          `json:"accept"`
	Deny            []string          `json:"deny"`
}

// sshTest is an entry of "sshTests".
type sshTest struct {
	Src    string   `json:"src"`
	Dst    []string `json:"dst"`
	Accept []string `json:"accept"`
	Check  []string `json:"check"`
	Deny   []string `json:"deny"`
}

// testFailure is one element of the error's `data`, as the service sends it.
type testFailure struct {
	User   string   `json:"user"`
	Errors []string `json:"errors"`
}

// runTests runs the policy's own tests. lookup finds the node of an address.
func (p *policy) runTests(lookup func(netip.Addr) (entity, bool)) []testFailure {
	var failures []testFailure
	add := func(user string, errors []string) {
		if len(errors) > 0 {
			failures = append(failures, testFailure{User: user, Errors: errors})
		}
	}
	for _, test := range p.file.Tests {
		add(test.Src, p.runTest(test, lookup))
	}
	for _, test := range p.file.SSHTests {
		add(test.Src, p.runSSHTest(test, lookup))
	}
	return failures
}

func (p *policy) runTest(test policyTest, lookup func(netip.Addr) (entity, bool)) []string {
	from, err := p.testEntity(test.Src, lookup)
	if err != nil {
		return []string{err.Error()}
	}
	protos, err := parseProto(test.Proto)
	if err != nil {
		return []string{err.Error()}
	}
	if protos == nil {
		protos = []int{protoTCP}
	}
	var errors []string
	judge := func(targets []string, want string) {
		for _, target := range targets {
			host, ports, err := splitPorts(target)
			if err == nil && (len(ports) != 1 || ports[0].First != ports[0].Last) {
				err = fmt.Errorf("address %q: a test takes exactly one port", target)
			}
			var to entity
			if err == nil {
				to, err = p.testEntity(host, lookup)
			}
			if err != nil {
				errors = append(errors, err.Error())
				continue
			}
			got := "Drop"
			if p.allows(from, to, protos[0], ports[0].First) {
				got = "Accept"
			}
			if got != want {
				errors = append(errors, fmt.Sprintf("address %q: want: %s, got: %s", target, want, got))
			}
		}
	}
	judge(test.Accept, "Accept")
	judge(test.Deny, "Drop")
	return errors
}

// testEntity is what a test's source or destination stands for, whether there is such a device or not.
func (p *policy) testEntity(name string, lookup func(netip.Addr) (entity, bool)) (entity, error) {
	if name == "*" || strings.HasPrefix(name, "autogroup:") {
		return entity{}, fmt.Errorf("%q cannot be tested: name a user, group, tag, host or address", name)
	}
	if err := p.checkSelector(name); err != nil {
		return entity{}, err
	}
	switch {
	case strings.HasPrefix(name, "tag:"):
		return entity{tags: []string{name}}, nil
	case strings.HasPrefix(name, "group:"):
		// Each member has the rights of the group; one of them stands for all.
		members := p.file.Groups[name]
		if len(members) == 0 {
			return entity{}, fmt.Errorf("%q has no members", name)
		}
		return entity{user: members[0]}, nil
	case strings.Contains(name, "@"):
		return entity{user: name}, nil
	}
	if address, ok := p.file.Hosts[name]; ok {
		name = address
	}
	prefix, err := parsePrefix(name)
	if err != nil {
		return entity{}, err
	}
	if e, ok := lookup(prefix.Addr()); ok {
		return e, nil
	}
	return entity{addrs: []netip.Addr{prefix.Addr()}}, nil
}

func (p *policy) runSSHTest(test sshTest, lookup func(netip.Addr) (entity, bool)) []string {
	from, err := p.testEntity(test.Src, lookup)
	if err != nil {
		return []string{err.Error()}
	}
	var errors []string
	for _, dst := range test.Dst {
		to, err := p.testEntity(dst, lookup)
		if err != nil {
			errors = append(errors, err.Error())
			continue
		}
		judge := func(users []string, want string) {
			for _, user := range users {
				if got := p.sshAction(from, to, user); got != want {
					errors = append(errors, fmt.Sprintf("%s@%s: want: %s, got: %s", user, dst, want, got))
				}
			}
		}
		judge(test.Accept, "accept")
		judge(test.Check, "check")
		judge(test.Deny, "deny")
	}
	return errors
}

// sshAction is what happens to somebody who logs in over the tailnet's SSH: "accept", "check" or "deny".
func (p *policy) sshAction(from, to entity, user string) string {
	for _, want := range []string{"check", "accept"} { // A check wins over an accept.
		for _, entry := range p.file.SSH {
			if entry.Action == want && p.joins(entry.Src, entry.Dst, from, to) && permitsUser(entry.Users, user) {
				return want
			}
		}
	}
	return "deny"
}

func permitsUser(users []string, user string) bool {
	return slices.Contains(users, user) || user != "root" && slices.Contains(users, "autogroup:nonroot")
}
