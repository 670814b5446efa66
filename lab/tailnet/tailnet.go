package main

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// faults are what a test can make wrong with the service.
type faults struct {
	// API is up, down (connections are reset), unavailable (503), forbidden (403) or html (a proxy's error page).
	API string `json:"api"`
	// Control is up or down (connections are reset).
	Control string `json:"control"`
	// MaxDevices is how many devices may join; 0 for no limit.
	MaxDevices int `json:"maxDevices"`
	// EphemeralSeconds is how long an ephemeral device may be away before it is removed.
	EphemeralSeconds float64 `json:"ephemeralSeconds"`
}

// tailnet is the whole state, in memory: it ends with the lab.
type tailnet struct {
	config config
	now    func() time.Time

	mu       sync.Mutex
	keys     map[string]*authKey // by id
	nodes    map[key.NodePublic]*node
	gone     map[key.NodePublic]*node // removed; told so when they ask
	lastNode int64
	policy   *policy
	// isDefault holds until somebody sets a policy.
	isDefault bool
	dns       dnsSettings
	faults    faults
	apiKeys   map[string]bool
	tokens    map[string]accessToken
	derpMap   *tailcfg.DERPMap
	watchers  map[chan struct{}]bool
}

func newTailnet(c config) *tailnet {
	t := &tailnet{
		config:    c,
		now:       time.Now,
		keys:      map[string]*authKey{},
		nodes:     map[key.NodePublic]*node{},
		gone:      map[key.NodePublic]*node{},
		isDefault: true,
		dns:       dnsSettings{MagicDNS: true},
		faults:    faults{API: "up", Control: "up", EphemeralSeconds: 30},
		apiKeys:   map[string]bool{},
		tokens:    map[string]accessToken{},
		watchers:  map[chan struct{}]bool{},
	}
	for _, k := range c.APIKeys {
		t.apiKeys[k] = true
	}
	var err error
	if t.policy, err = parsePolicy(defaultPolicy); err != nil {
		panic(err)
	}
	return t
}

// watch returns a channel that gets a value after each change, and what ends it.
func (t *tailnet) watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	t.mu.Lock()
	t.watchers[c] = true
	t.mu.Unlock()
	return c, func() {
		t.mu.Lock()
		delete(t.watchers, c)
		t.mu.Unlock()
	}
}

// changedLocked wakes every node's stream.
func (t *tailnet) changedLocked() {
	for c := range t.watchers {
		select {
		case c <- struct{}{}:
		default: // It has not looked since the last change, and will see this one too.
		}
	}
}

// newID draws an id in the form that the service gives to its objects: a letter, digits and letters, "CNTRL".
func newID(prefix string) string {
	return prefix + rand.Text()[:11] + "CNTRL"
}

// newSecret draws the secret part of a key.
func newSecret() string { return strings.ToLower(rand.Text()) + rand.Text()[:8] }
