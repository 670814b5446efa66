package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// wireDevice is a device as the API writes it.
type wireDevice struct {
	Addresses                 []string   `json:"addresses"`
	ID                        string     `json:"id"`
	NodeID                    string     `json:"nodeId"`
	User                      string     `json:"user"`
	Name                      string     `json:"name"`
	Hostname                  string     `json:"hostname"`
	ClientVersion             string     `json:"clientVersion"`
	UpdateAvailable           bool       `json:"updateAvailable"`
	OS                        string     `json:"os"`
	Created                   time.Time  `json:"created"`
	ConnectedToControl        bool       `json:"connectedToControl"`
	LastSeen                  *time.Time `json:"lastSeen,omitempty"`
	KeyExpiryDisabled         bool       `json:"keyExpiryDisabled"`
	Expires                   time.Time  `json:"expires"`
	Authorized                bool       `json:"authorized"`
	IsExternal                bool       `json:"isExternal"`
	IsEphemeral               bool       `json:"isEphemeral"`
	MachineKey                string     `json:"machineKey"`
	NodeKey                   string     `json:"nodeKey"`
	BlocksIncomingConnections bool       `json:"blocksIncomingConnections"`
	TailnetLockKey            string     `json:"tailnetLockKey"`
	TailnetLockError          string     `json:"tailnetLockError"`
	Tags                      []string   `json:"tags,omitempty"`
	SSHEnabled                bool       `json:"sshEnabled"`
}

func (a *api) wireDevice(n *node) wireDevice {
	out := wireDevice{
		ID: fmt.Sprint(n.id), NodeID: n.stable, User: a.profile(a.ownerID(n)).LoginName,
		Name: n.name + "." + a.config.Domain, Created: n.created, ConnectedToControl: n.isOnline(),
		KeyExpiryDisabled: n.expiry.IsZero(), Expires: n.expiry.UTC(), Authorized: n.authorized,
		IsEphemeral: n.ephemeral, MachineKey: n.machine.String(), NodeKey: n.key.String(), Tags: n.tags,
	}
	for _, addr := range n.addrs {
		out.Addresses = append(out.Addresses, addr.String())
	}
	if n.info != nil {
		out.Hostname, out.OS, out.ClientVersion = n.info.Hostname, n.info.OS, n.info.IPNVersion
		out.BlocksIncomingConnections = n.info.ShieldsUp
		out.SSHEnabled = len(n.info.SSH_HostKeys) > 0
	}
	if !n.isOnline() {
		seen := n.lastSeen.UTC().Truncate(time.Second)
		out.LastSeen = &seen
	}
	return out
}

// listDevices filters as the service does: by properties that the query names.
func (a *api) listDevices(r *http.Request, _ caller) (any, *failure) {
	devices := []wireDevice{}
	for _, n := range a.sortedLocked() {
		d := a.wireDevice(n)
		if matches(d, r.URL.Query()) {
			devices = append(devices, d)
		}
	}
	return map[string]any{"devices": devices}, nil
}

func matches(d wireDevice, query url.Values) bool {
	has := map[string][]string{
		"id": {d.ID}, "nodeId": {d.NodeID}, "name": {d.Name}, "hostname": {d.Hostname}, "user": {d.User}, "os": {d.OS},
		"tags": d.Tags, "addresses": d.Addresses,
		"isEphemeral": {fmt.Sprint(d.IsEphemeral)}, "authorized": {fmt.Sprint(d.Authorized)},
	}
	for property, wanted := range query {
		values, isFilter := has[property]
		if isFilter && !slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(values, w) }) {
			return false
		}
	}
	return true
}

// device makes a handler of what is done with one device.
func (a *api) device(h func(*api, *http.Request, *node, caller) (any, *failure)) handler {
	return func(r *http.Request, by caller) (any, *failure) {
		n := a.byIDLocked(r.PathValue("device"))
		if n == nil {
			return nil, &failure{status: http.StatusNotFound, message: "no matching device found"}
		}
		return h(a, r, n, by)
	}
}

func (a *api) getDevice(_ *http.Request, n *node, _ caller) (any, *failure) {
	return a.wireDevice(n), nil
}

func (a *api) deleteDevice(_ *http.Request, n *node, _ caller) (any, *failure) {
	a.removeLocked(n)
	return nil, nil
}

func (a *api) expireDevice(_ *http.Request, n *node, _ caller) (any, *failure) {
	n.expiry = a.now()
	a.changedLocked()
	return nil, nil
}

func (a *api) authorizeDevice(r *http.Request, n *node, _ caller) (any, *failure) {
	var body struct{ Authorized bool }
	if f := read(r, &body); f != nil {
		return nil, f
	}
	n.authorized = body.Authorized
	a.changedLocked()
	return nil, nil
}

func (a *api) tagDevice(r *http.Request, n *node, by caller) (any, *failure) {
	var body struct{ Tags []string }
	if f := read(r, &body); f != nil {
		return nil, f
	}
	if len(body.Tags) == 0 && len(n.tags) > 0 {
		return nil, &failure{status: http.StatusBadRequest, message: "cannot remove all tags from a tagged device without reauthentication"}
	}
	badTags := slices.DeleteFunc(slices.Clone(body.Tags), func(tag string) bool { return a.mayAssignLocked(tag, by) })
	if len(badTags) > 0 {
		return nil, bad(tagsRefused(badTags))
	}
	n.tags, n.expiry = body.Tags, time.Time{}
	a.changedLocked()
	return nil, nil
}

func (a *api) nameDevice(r *http.Request, n *node, _ caller) (any, *failure) {
	var body struct{ Name string }
	if f := read(r, &body); f != nil {
		return nil, f
	}
	label, _, _ := strings.Cut(body.Name, ".")
	if label != "" && a.isTakenLocked(label, n) {
		return nil, &failure{status: http.StatusConflict, message: "name already in use"}
	}
	n.given = label != ""
	if n.given {
		n.name = label
	}
	a.nameLocked(n)
	a.changedLocked()
	return nil, nil
}

func (a *api) setDeviceKey(r *http.Request, n *node, _ caller) (any, *failure) {
	var body struct{ KeyExpiryDisabled bool }
	if f := read(r, &body); f != nil {
		return nil, f
	}
	// A tagged device's key does not expire anyway.
	if len(n.tags) == 0 {
		n.expiry = time.Time{}
		if !body.KeyExpiryDisabled {
			n.expiry = a.now().Add(nodeKeyLife)
		}
	}
	a.changedLocked()
	return nil, nil
}
