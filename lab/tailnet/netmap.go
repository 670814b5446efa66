package main

import (
	"net/netip"

	"tailscale.com/tailcfg"
	"tailscale.com/types/dnstype"
)

// mapFor is all that a node may know: itself, the peers it has to do with, what it lets in, the relay and the names.
func (t *tailnet) mapFor(n *node) *tailcfg.MapResponse {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	m := &tailcfg.MapResponse{
		Node:            t.wireNodeLocked(n),
		DERPMap:         t.derpMap,
		Domain:          t.config.Tailnet,
		CollectServices: "false",
		ControlTime:     &now,
		Peers:           []*tailcfg.Node{},
		UserProfiles:    []tailcfg.UserProfile{t.profile(userID), t.profile(taggedID)},
		DNSConfig:       t.dnsConfigLocked(),
		// Named filters, because an empty plain one would not be sent at all, and no filter means no change.
		PacketFilters: map[string][]tailcfg.FilterRule{"*": nil},
		SSHPolicy:     &tailcfg.SSHPolicy{Rules: []*tailcfg.SSHRule{}},
	}
	if t.nodes[n.key] != n || n.isExpired(now) || !n.authorized {
		return m
	}
	m.PacketFilters["policy"] = t.filterLocked(n)
	m.SSHPolicy = t.sshPolicyLocked(n)
	m.Node.CapMap = tailcfg.NodeCapMap{tailcfg.CapabilitySSH: nil}
	self := t.entityOf(n)
	for _, peer := range t.sortedLocked() {
		if peer == n || peer.isExpired(now) || !peer.authorized || !t.policy.sees(self, t.entityOf(peer)) {
			continue
		}
		m.Peers = append(m.Peers, t.wireNodeLocked(peer))
	}
	return m
}

func (t *tailnet) wireNodeLocked(n *node) *tailcfg.Node {
	prefixes := make([]netip.Prefix, 0, len(n.addrs))
	for _, addr := range n.addrs {
		prefixes = append(prefixes, netip.PrefixFrom(addr, addr.BitLen()))
	}
	online, seen := n.isOnline(), n.lastSeen
	wire := &tailcfg.Node{
		ID: tailcfg.NodeID(n.id), StableID: tailcfg.StableNodeID(n.stable),
		Name: n.name + "." + t.config.Domain + ".", User: t.ownerID(n),
		Key: n.key, KeyExpiry: n.expiry, Machine: n.machine, DiscoKey: n.disco,
		Addresses: prefixes, AllowedIPs: prefixes, Endpoints: n.endpoints, HomeDERP: n.homeDERP,
		Created: n.created, Cap: n.cap, Tags: n.tags, MachineAuthorized: n.authorized, Online: &online,
	}
	if n.info != nil {
		wire.Hostinfo = n.info.View()
	}
	if !online {
		wire.LastSeen = &seen
	}
	return wire
}

func (t *tailnet) dnsConfigLocked() *tailcfg.DNSConfig {
	d := &tailcfg.DNSConfig{Proxied: t.dns.MagicDNS, Routes: map[string][]*dnstype.Resolver{}}
	if t.dns.MagicDNS {
		d.Domains = append(d.Domains, t.config.Domain)
		d.Routes[t.config.Domain] = nil // Answered by the node itself.
	}
	d.Domains = append(d.Domains, t.dns.SearchPaths...)
	resolvers := func(servers []resolver) (out []*dnstype.Resolver) {
		for _, s := range servers {
			out = append(out, &dnstype.Resolver{Addr: s.Address})
		}
		return out
	}
	if t.dns.OverrideLocal {
		d.Resolvers = resolvers(t.dns.Nameservers)
	} else {
		d.FallbackResolvers = resolvers(t.dns.Nameservers)
	}
	for domain, servers := range t.dns.Split {
		d.Routes[domain] = resolvers(servers)
	}
	return d
}
