package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"tailscale.com/net/tsaddr"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// node is a device.
type node struct {
	id        int64
	stable    string
	machine   key.MachinePublic
	key       key.NodePublic
	disco     key.DiscoPublic
	addrs     []netip.Addr
	info      *tailcfg.Hostinfo
	endpoints []netip.AddrPort
	homeDERP  int
	cap       tailcfg.CapabilityVersion
	name      string // MagicDNS label
	// given keeps the name when the device's own changes.
	given     bool
	tags      []string
	ephemeral bool
	// authorized is only ever false when the API says so.
	authorized bool
	created    time.Time
	expiry     time.Time // zero: never
	lastSeen   time.Time
	// stream is the connection that holds the device online; a newer one takes its place.
	stream *stream
}

func (n *node) isExpired(now time.Time) bool { return !n.expiry.IsZero() && !now.Before(n.expiry) }
func (n *node) isOnline() bool               { return n.stream != nil }

// entityOf is how the policy sees a node: a tagged one belongs to its tags and to nobody.
func (t *tailnet) entityOf(n *node) entity {
	e := entity{tags: n.tags, addrs: n.addrs}
	if len(n.tags) == 0 {
		e.user = t.config.User
		e.isAdmin = true
	}
	return e
}

// sortedLocked lists the nodes by age.
func (t *tailnet) sortedLocked() []*node {
	all := make([]*node, 0, len(t.nodes))
	for _, n := range t.nodes {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b *node) int { return int(a.id - b.id) })
	return all
}

func (t *tailnet) byMachineLocked(machine key.MachinePublic) *node {
	for _, n := range t.nodes {
		if n.machine == machine {
			return n
		}
	}
	return nil
}

// byIDLocked finds a node by either of its ids.
func (t *tailnet) byIDLocked(id string) *node {
	for _, n := range t.nodes {
		if n.stable == id || fmt.Sprint(n.id) == id {
			return n
		}
	}
	return nil
}

func (t *tailnet) newNodeLocked(machine key.MachinePublic) *node {
	t.lastNode++
	id := t.lastNode
	four := netip.AddrFrom4([4]byte{100, 64 + byte(id>>16), byte(id >> 8), byte(id)})
	return &node{
		id: id, stable: newID("n"), machine: machine,
		addrs:   []netip.Addr{four, tsaddr.Tailscale4To6(four)},
		created: t.now().UTC().Truncate(time.Second),
	}
}

// rekeyLocked gives a node its (new) node key.
func (t *tailnet) rekeyLocked(n *node, k key.NodePublic) {
	delete(t.nodes, n.key)
	delete(t.gone, k)
	n.key = k
	t.nodes[k] = n
}

// removeLocked takes a device out of the tailnet. When it asks again it is told that its key has expired.
func (t *tailnet) removeLocked(n *node) {
	delete(t.nodes, n.key)
	n.expiry = time.Unix(1, 0)
	t.gone[n.key] = n
	t.changedLocked()
}

var notInLabel = regexp.MustCompile(`[^a-z0-9-]+`)

// nameLocked settles a device's MagicDNS label: its hostname, with a number behind it when that is taken.
func (t *tailnet) nameLocked(n *node) {
	if n.given || n.info == nil {
		return
	}
	base := strings.Trim(notInLabel.ReplaceAllString(strings.ToLower(n.info.Hostname), "-"), "-")
	if base == "" {
		base = "device"
	}
	if n.name == base || strings.HasPrefix(n.name, base+"-") && t.isTakenLocked(base, n) {
		return
	}
	n.name = base
	for i := 1; t.isTakenLocked(n.name, n); i++ {
		n.name = fmt.Sprintf("%s-%d", base, i)
	}
}

func (t *tailnet) isTakenLocked(name string, except *node) bool {
	for _, n := range t.nodes {
		if n != except && n.name == name {
			return true
		}
	}
	return false
}

// removeEphemeral removes the ephemeral devices that have been away for too long.
func (t *tailnet) removeEphemeral() {
	t.mu.Lock()
	defer t.mu.Unlock()
	limit := time.Duration(t.faults.EphemeralSeconds * float64(time.Second))
	for _, n := range t.sortedLocked() {
		if n.ephemeral && !n.isOnline() && t.now().Sub(n.lastSeen) > limit {
			t.removeLocked(n)
		}
	}
}
