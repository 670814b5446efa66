package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"tailscale.com/tailcfg"
)

// rule is one permission: whoever matches src reaches these ports of whatever matches dst.
type rule struct {
	src    []string
	dst    []string
	protos []int // nil: TCP, UDP and ICMP
	ports  []tailcfg.PortRange
}

// entity is somebody or something that a selector can mean.
type entity struct {
	tags    []string
	user    string
	isAdmin bool
	addrs   []netip.Addr
}

const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

var protoNumbers = map[string][]int{
	"tcp": {protoTCP}, "udp": {protoUDP}, "icmp": {protoICMP, protoICMPv6}, "sctp": {132}, "igmp": {2}, "gre": {47},
}

// compile turns acls and grants into rules. A policy with neither section allows everything, as a new tailnet's does.
func (p *policy) compile() ([]rule, error) {
	var rules []rule
	if p.file.ACLs == nil && p.file.Grants == nil {
		everybody, everything := []string{"*"}, []tailcfg.PortRange{tailcfg.PortRangeAny}
		return []rule{{src: everybody, dst: everybody, ports: everything}}, nil
	}
	for i, a := range p.file.ACLs {
		where := fmt.Sprintf("acls[%d]", i)
		if a.Action != "accept" {
			return nil, fmt.Errorf("%s: action %q is not valid", where, a.Action)
		}
		protos, err := parseProto(a.Proto)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		if err := p.checkSelectors(where, a.Src); err != nil {
			return nil, err
		}
		for _, d := range a.Dst {
			host, ports, err := splitPorts(d)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", where, err)
			}
			if err := p.checkSelectors(where, []string{host}); err != nil {
				return nil, err
			}
			rules = append(rules, rule{src: a.Src, dst: []string{host}, protos: protos, ports: ports})
		}
	}
	for i, g := range p.file.Grants {
		where := fmt.Sprintf("grants[%d]", i)
		if err := p.checkSelectors(where, append(slices.Clone(g.Src), g.Dst...)); err != nil {
			return nil, err
		}
		if len(g.IP) == 0 && len(g.App) == 0 {
			return nil, fmt.Errorf(`%s: one of "ip" and "app" is required`, where)
		}
		for _, ip := range g.IP {
			protos, ports, err := parseCapability(ip)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", where, err)
			}
			rules = append(rules, rule{src: g.Src, dst: g.Dst, protos: protos, ports: ports})
		}
	}
	return rules, nil
}

// parseCapability reads a grant's `ip` entry: "*", "443", "80-90", "tcp:443", "icmp:*".
func parseCapability(s string) ([]int, []tailcfg.PortRange, error) {
	name, ports, hasProto := strings.Cut(s, ":")
	if !hasProto {
		r, err := parsePorts(s)
		return nil, r, err
	}
	protos, err := parseProto(name)
	if err != nil {
		return nil, nil, err
	}
	r, err := parsePorts(ports)
	return protos, r, err
}

func parseProto(s string) ([]int, error) {
	if s == "" {
		return nil, nil
	}
	if n, ok := protoNumbers[strings.ToLower(s)]; ok {
		return n, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 255 {
		return nil, fmt.Errorf("protocol %q is not known", s)
	}
	return []int{n}, nil
}

// splitPorts reads "host:ports"; the host may have colons of its own.
func splitPorts(s string) (string, []tailcfg.PortRange, error) {
	i := strings.LastIndex(s, ":")
	if i < 0 {
		return "", nil, fmt.Errorf("%q has no ports", s)
	}
	ports, err := parsePorts(s[i+1:])
	return strings.Trim(s[:i], "[]"), ports, err
}

func parsePorts(s string) ([]tailcfg.PortRange, error) {
	if s == "*" {
		return []tailcfg.PortRange{tailcfg.PortRangeAny}, nil
	}
	var ranges []tailcfg.PortRange
	for _, part := range strings.Split(s, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.ParseUint(from, 10, 16)
		last, err2 := strconv.ParseUint(to, 10, 16)
		if err1 != nil || err2 != nil || first > last {
			return nil, fmt.Errorf("%q is not a port or a range of ports", part)
		}
		ranges = append(ranges, tailcfg.PortRange{First: uint16(first), Last: uint16(last)})
	}
	return ranges, nil
}

// means tells whether a selector stands for an entity.
func (p *policy) means(selector string, e entity) bool {
	isPerson := e.user != "" && len(e.tags) == 0
	switch {
	case selector == "*":
		return true
	case strings.HasPrefix(selector, "tag:"):
		return slices.Contains(e.tags, selector)
	case strings.HasPrefix(selector, "group:"):
		return isPerson && slices.Contains(p.file.Groups[selector], e.user)
	case selector == "autogroup:tagged":
		return len(e.tags) > 0
	case selector == "autogroup:member" || selector == "autogroup:members":
		return isPerson
	case selector == "autogroup:admin" || selector == "autogroup:owner":
		return isPerson && e.isAdmin
	case strings.HasPrefix(selector, "autogroup:"):
		return false
	case strings.HasPrefix(selector, "ipset:"):
		return slices.ContainsFunc(p.file.IPSets[selector], func(s string) bool {
			return p.means(strings.TrimPrefix(strings.TrimPrefix(s, "add "), "host:"), e)
		})
	case strings.Contains(selector, "@"):
		return isPerson && e.user == selector
	}
	if address, ok := p.file.Hosts[selector]; ok {
		selector = address
	}
	prefix, err := parsePrefix(selector)
	return err == nil && slices.ContainsFunc(e.addrs, prefix.Contains)
}

func (p *policy) anyMeans(selectors []string, e entity) bool {
	return slices.ContainsFunc(selectors, func(s string) bool { return p.means(s, e) })
}

// joins tells whether a rule lets one entity reach the other at all.
func (p *policy) joins(src, dst []string, from, to entity) bool {
	if !p.anyMeans(src, from) {
		return false
	}
	isOwn := from.user != "" && from.user == to.user && len(from.tags) == 0 && len(to.tags) == 0
	return p.anyMeans(dst, to) || isOwn && slices.Contains(dst, "autogroup:self")
}

// allows tells whether a connection passes.
func (p *policy) allows(from, to entity, proto int, port uint16) bool {
	return slices.ContainsFunc(p.rules, func(r rule) bool {
		isProto := slices.Contains(r.protos, proto)
		if r.protos == nil {
			isProto = slices.Contains([]int{protoTCP, protoUDP, protoICMP, protoICMPv6}, proto)
		}
		isPort := slices.ContainsFunc(r.ports, func(x tailcfg.PortRange) bool { return x.Contains(port) })
		return isProto && isPort && p.joins(r.src, r.dst, from, to)
	})
}

// sees tells whether two nodes know of each other: one of them may reach the other.
func (p *policy) sees(a, b entity) bool {
	return slices.ContainsFunc(p.rules, func(r rule) bool {
		return p.joins(r.src, r.dst, a, b) || p.joins(r.src, r.dst, b, a)
	})
}
