package main

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// keyCapabilities is how the API writes what a key lets devices be.
type keyCapabilities struct {
	Devices struct {
		Create struct {
			Reusable      bool     `json:"reusable"`
			Ephemeral     bool     `json:"ephemeral"`
			Tags          []string `json:"tags"`
			Preauthorized bool     `json:"preauthorized"`
		} `json:"create"`
	} `json:"devices"`
}

type wireKey struct {
	ID            string          `json:"id"`
	KeyType       string          `json:"keyType"`
	Key           string          `json:"key,omitempty"`
	Description   string          `json:"description"`
	ExpirySeconds int64           `json:"expirySeconds"`
	Created       time.Time       `json:"created"`
	Expires       time.Time       `json:"expires"`
	Revoked       *time.Time      `json:"revoked,omitempty"`
	Invalid       bool            `json:"invalid,omitempty"`
	Capabilities  keyCapabilities `json:"capabilities"`
	UserID        string          `json:"userId,omitempty"`
}

func (a *api) wire(k *authKey) wireKey {
	out := wireKey{
		ID: k.id, KeyType: "auth", Description: k.description,
		ExpirySeconds: int64(k.expires.Sub(k.created).Seconds()),
		Created:       k.created, Expires: k.expires, UserID: k.userID, Invalid: k.isInvalid(a.now()),
	}
	if !k.revoked.IsZero() {
		out.Revoked = &k.revoked
	}
	create := &out.Capabilities.Devices.Create
	create.Reusable, create.Ephemeral, create.Preauthorized = k.reusable, k.ephemeral, k.preauthorized
	create.Tags = k.tags
	return out
}

func (a *api) createKey(r *http.Request, by caller) (any, *failure) {
	var body struct {
		KeyType       string          `json:"keyType"`
		Capabilities  keyCapabilities `json:"capabilities"`
		ExpirySeconds int64           `json:"expirySeconds"`
		Description   string          `json:"description"`
	}
	if f := read(r, &body); f != nil {
		return nil, f
	}
	if body.KeyType != "" && body.KeyType != "auth" {
		return nil, &failure{status: http.StatusBadRequest, message: "the lab makes auth keys only"}
	}
	create := body.Capabilities.Devices.Create
	k, err := a.makeKeyLocked(keyRequest{
		reusable: create.Reusable, ephemeral: create.Ephemeral, preauthorized: create.Preauthorized,
		tags: create.Tags, life: time.Duration(body.ExpirySeconds) * time.Second, description: body.Description,
	}, by)
	if err != nil {
		return nil, bad(err)
	}
	out := a.wire(k)
	out.Key = k.String() // Shown this once.
	return out, nil
}

// listKeys leaves out keys that let nobody in any more.
func (a *api) listKeys(*http.Request, caller) (any, *failure) {
	keys := []wireKey{}
	for _, k := range a.keys {
		if !k.isInvalid(a.now()) {
			keys = append(keys, a.wire(k))
		}
	}
	slices.SortFunc(keys, func(x, y wireKey) int { return strings.Compare(x.ID, y.ID) })
	return map[string]any{"keys": keys}, nil
}

func (a *api) getKey(r *http.Request, _ caller) (any, *failure) {
	k := a.keys[r.PathValue("key")]
	if k == nil {
		return nil, notFound
	}
	return a.wire(k), nil
}

// deleteKey revokes; the key's entry stays and says so.
func (a *api) deleteKey(r *http.Request, _ caller) (any, *failure) {
	k := a.keys[r.PathValue("key")]
	if k == nil || !k.revoked.IsZero() {
		return nil, notFound
	}
	k.revoked = a.now().UTC().Truncate(time.Second)
	return nil, nil
}
