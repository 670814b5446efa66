package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// admin is the lab's own door: it looks inside and makes faults. The real service has nothing like it.
type admin struct{ *tailnet }

func (a *admin) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /lab/status", a.status)
	mux.HandleFunc("POST /lab/faults", a.setFaults)
	mux.HandleFunc("POST /lab/api-keys", a.setAPIKeys)
}

func (a *admin) status(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	nodes := []wireDevice{}
	for _, n := range a.sortedLocked() {
		nodes = append(nodes, (&api{a.tailnet}).wireDevice(n))
	}
	usable := 0
	for _, k := range a.keys {
		if !k.isInvalid(a.now()) {
			usable++
		}
	}
	reply(w, http.StatusOK, map[string]any{
		"nodes": nodes, "keys": len(a.keys), "usableKeys": usable, "faults": a.faults, "isDefaultPolicy": a.isDefault,
	})
}

// setFaults changes the faults that the body names, and leaves the others.
func (a *admin) setFaults(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	wanted := a.faults
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wanted); err != nil {
		fail(w, bad(err))
		return
	}
	if !slices.Contains([]string{"up", "down", "unavailable", "unwritable", "forbidden", "html"}, wanted.API) ||
		!slices.Contains([]string{"up", "down"}, wanted.Control) {
		fail(w, bad(fmt.Errorf("no such fault: api %q, control %q", wanted.API, wanted.Control)))
		return
	}
	a.faults = wanted
	reply(w, http.StatusOK, wanted)
}

// setAPIKeys makes API keys valid or not, as an administrator does who rotates one.
func (a *admin) setAPIKeys(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var body struct{ Add, Revoke []string }
	if f := read(r, &body); f != nil {
		fail(w, f)
		return
	}
	for _, k := range body.Add {
		a.apiKeys[k] = true
	}
	for _, k := range body.Revoke {
		delete(a.apiKeys, k)
	}
	reply(w, http.StatusOK, map[string]any{"valid": len(a.apiKeys)})
}
