package main

import (
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

const (
	userID   = tailcfg.UserID(1)
	taggedID = tailcfg.UserID(2)
	// nodeKeyLife is how long a person's device stays in; tagged ones stay for good.
	nodeKeyLife = 180 * 24 * time.Hour
)

func (c *control) register(w http.ResponseWriter, r *http.Request) {
	var req tailcfg.RegisterRequest
	machine, ok := readRequest(w, r, &req)
	if !ok {
		return
	}
	if req.Followup != "" {
		// Somebody would have to log in with a browser, which nobody does here.
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
		return
	}
	c.mu.Lock()
	answer, err := c.registerLocked(&req, machine)
	c.mu.Unlock()
	if err != nil {
		log.Printf("register %s: %v", machine.ShortString(), err)
		answer = &tailcfg.RegisterResponse{Error: err.Error()}
	}
	json.NewEncoder(w).Encode(answer)
}

// registerLocked logs a device in, or out when it asks for an end in the past.
func (t *tailnet) registerLocked(req *tailcfg.RegisterRequest, machine key.MachinePublic) (*tailcfg.RegisterResponse, error) {
	n := t.nodes[req.NodeKey]
	if n != nil && n.machine != machine {
		return nil, errors.New("node key belongs to another machine")
	}
	now := t.now()
	if !req.Expiry.IsZero() && req.Expiry.Before(now) {
		if n != nil {
			t.logoutLocked(n)
		}
		return t.welcome(n), nil
	}
	if n != nil && !n.isExpired(now) {
		return t.welcome(n), nil
	}
	if req.Auth == nil || req.Auth.AuthKey == "" {
		if n != nil || t.gone[req.NodeKey] != nil {
			return &tailcfg.RegisterResponse{NodeKeyExpired: true}, nil
		}
		return &tailcfg.RegisterResponse{AuthURL: t.config.URL + "/a/" + newID("l")}, nil
	}
	return t.joinLocked(req, machine)
}

func (t *tailnet) joinLocked(req *tailcfg.RegisterRequest, machine key.MachinePublic) (*tailcfg.RegisterResponse, error) {
	k, err := t.redeemLocked(req.Auth.AuthKey)
	if err != nil {
		return nil, err
	}
	var wish []string
	if req.Hostinfo != nil {
		wish = req.Hostinfo.RequestTags
	}
	tags, err := t.tagsForLocked(k, wish)
	if err != nil {
		return nil, err
	}
	// A machine that comes back keeps its place and its addresses.
	n := t.byMachineLocked(machine)
	if n == nil {
		if t.faults.MaxDevices > 0 && len(t.nodes) >= t.faults.MaxDevices {
			return nil, errors.New("tailnet has reached its device limit")
		}
		n = t.newNodeLocked(machine)
	}
	t.rekeyLocked(n, req.NodeKey)
	k.used = true
	n.tags, n.ephemeral, n.authorized = tags, k.ephemeral, true
	n.cap, n.lastSeen, n.expiry = req.Version, t.now(), time.Time{}
	if len(tags) == 0 {
		n.expiry = t.now().Add(nodeKeyLife)
	}
	if req.Hostinfo != nil {
		n.info = req.Hostinfo
	}
	t.nameLocked(n)
	t.changedLocked()
	log.Printf("joined: %s %s %v", n.name, n.addrs[0], n.tags)
	return t.welcome(n), nil
}

func (t *tailnet) logoutLocked(n *node) {
	log.Printf("logged out: %s", n.name)
	if n.ephemeral {
		t.removeLocked(n)
		return
	}
	n.expiry = t.now()
	t.changedLocked()
}

func (t *tailnet) welcome(n *node) *tailcfg.RegisterResponse {
	id := t.ownerID(n)
	return &tailcfg.RegisterResponse{
		User:              tailcfg.User{ID: id, DisplayName: t.profile(id).DisplayName},
		Login:             tailcfg.Login{ID: tailcfg.LoginID(id), Provider: "lab", LoginName: t.profile(id).LoginName},
		MachineAuthorized: n == nil || n.authorized,
	}
}

func (t *tailnet) ownerID(n *node) tailcfg.UserID {
	if n != nil && len(n.tags) > 0 {
		return taggedID
	}
	return userID
}

func (t *tailnet) profile(id tailcfg.UserID) tailcfg.UserProfile {
	if id == taggedID {
		return tailcfg.UserProfile{ID: id, LoginName: "tagged-devices", DisplayName: "Tagged Devices"}
	}
	return tailcfg.UserProfile{ID: id, LoginName: t.config.User, DisplayName: t.config.User}
}
