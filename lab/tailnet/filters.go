package main

import (
	"net/netip"
	"slices"

	"tailscale.com/tailcfg"
)

// filterLocked is what a node lets in: the policy's rules that end at it, as addresses.
func (t *tailnet) filterLocked(n *node) []tailcfg.FilterRule {
	rules := []tailcfg.FilterRule{}
	self := t.entityOf(n)
	for _, r := range t.policy.rules {
		sources := t.sourcesLocked(r, n, self)
		if len(sources) == 0 {
			continue
		}
		var ports []tailcfg.NetPortRange
		for _, addr := range n.addrs {
			for _, p := range r.ports {
				ports = append(ports, tailcfg.NetPortRange{IP: addr.String(), Ports: p})
			}
		}
		rules = append(rules, tailcfg.FilterRule{SrcIPs: sources, DstPorts: ports, IPProto: r.protos})
	}
	return rules
}

// sourcesLocked lists the addresses that a rule lets through to a node.
func (t *tailnet) sourcesLocked(r rule, n *node, self entity) []string {
	var sources []string
	for _, other := range t.sortedLocked() {
		if other != n && t.policy.joins(r.src, r.dst, t.entityOf(other), self) {
			for _, addr := range other.addrs {
				sources = append(sources, addr.String())
			}
		}
	}
	if !t.policy.anyMeans(r.dst, self) {
		return sources
	}
	for _, s := range r.src {
		if address, ok := t.policy.file.Hosts[s]; ok {
			s = address
		}
		if prefix, err := parsePrefix(s); err == nil && !slices.Contains(sources, prefix.Addr().String()) {
			sources = append(sources, prefix.String())
		}
	}
	return sources
}

// sshPolicyLocked is the part of the policy's SSH rules that ends at a node.
func (t *tailnet) sshPolicyLocked(n *node) *tailcfg.SSHPolicy {
	self := t.entityOf(n)
	out := &tailcfg.SSHPolicy{Rules: []*tailcfg.SSHRule{}}
	for _, action := range []string{"check", "accept"} {
		for _, entry := range t.policy.file.SSH {
			if entry.Action != action {
				continue
			}
			var principals []*tailcfg.SSHPrincipal
			for _, other := range t.sortedLocked() {
				if t.policy.joins(entry.Src, entry.Dst, t.entityOf(other), self) {
					for _, addr := range other.addrs {
						principals = append(principals, &tailcfg.SSHPrincipal{NodeIP: addr.String()})
					}
				}
			}
			if len(principals) > 0 {
				out.Rules = append(out.Rules, &tailcfg.SSHRule{
					Principals: principals, SSHUsers: sshUsers(entry.Users), Action: sshActionFor(action), AcceptEnv: entry.AcceptEnv,
				})
			}
		}
	}
	return out
}

func sshUsers(users []string) map[string]string {
	out := map[string]string{}
	for _, user := range users {
		if user == "autogroup:nonroot" {
			out["*"] = "="
			continue
		}
		out[user] = user
	}
	if _, isNamed := out["root"]; !isNamed && out["*"] != "" {
		out["root"] = "" // The star leaves root out.
	}
	return out
}

func sshActionFor(action string) *tailcfg.SSHAction {
	if action == "check" {
		return &tailcfg.SSHAction{Reject: true, Message: "This is a lab: nobody can answer a check.\n"}
	}
	return &tailcfg.SSHAction{Accept: true, AllowAgentForwarding: true, AllowLocalPortForwarding: true, AllowRemotePortForwarding: true}
}

// lookupLocked finds the node of an address, for the policy's tests.
func (t *tailnet) lookupLocked(addr netip.Addr) (entity, bool) {
	for _, n := range t.nodes {
		if slices.Contains(n.addrs, addr) {
			return t.entityOf(n), true
		}
	}
	return entity{}, false
}
