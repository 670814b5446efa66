package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const maxKeyLife = 90 * 24 * time.Hour

// authKey lets devices join.
type authKey struct {
	id, secret, description string
	reusable, ephemeral     bool
	preauthorized           bool
	tags                    []string
	created, expires        time.Time
	revoked                 time.Time
	userID                  string // empty for keys made with an OAuth client
	used                    bool
}

func (k *authKey) String() string { return "tskey-auth-" + k.id + "-" + k.secret }

// isInvalid tells whether the key lets nobody in any more.
func (k *authKey) isInvalid(now time.Time) bool {
	return !k.revoked.IsZero() || !now.Before(k.expires) || (k.used && !k.reusable)
}

// keyRequest is what somebody asks of a new key.
type keyRequest struct {
	reusable, ephemeral, preauthorized bool
	tags                               []string
	life                               time.Duration // 0 for the longest
	description                        string
}

var descriptionForm = regexp.MustCompile(`^[A-Za-z0-9 -]{0,50}$`)

// makeKeyLocked makes a key for a caller, or says why not in the service's words.
func (t *tailnet) makeKeyLocked(r keyRequest, by caller) (*authKey, error) {
	if !descriptionForm.MatchString(r.description) {
		return nil, fmt.Errorf("description must be at most 50 alphanumeric characters, hyphens and spaces")
	}
	if r.life < 0 || r.life > maxKeyLife {
		return nil, fmt.Errorf("expirySeconds must be between 0 and %d", int(maxKeyLife.Seconds()))
	}
	if r.life == 0 {
		r.life = maxKeyLife
	}
	if by.isOAuth && len(r.tags) == 0 {
		return nil, fmt.Errorf("tailnet-owned auth key must have tags set")
	}
	bad := slices.DeleteFunc(slices.Clone(r.tags), func(tag string) bool { return t.mayAssignLocked(tag, by) })
	if len(bad) > 0 {
		return nil, tagsRefused(bad)
	}
	now := t.now().UTC().Truncate(time.Second)
	k := &authKey{
		id: newID("k"), secret: newSecret(), description: r.description,
		reusable: r.reusable, ephemeral: r.ephemeral, preauthorized: r.preauthorized,
		tags: slices.Clone(r.tags), created: now, expires: now.Add(r.life), userID: by.userID,
	}
	t.keys[k.id] = k
	return k, nil
}

func tagsRefused(tags []string) error {
	return fmt.Errorf("requested tags [%s] are invalid or not permitted", strings.Join(tags, " "))
}

// mayAssignLocked tells whether a caller may give a tag: a person any tag that the policy knows, an OAuth client
// its own tags and those that they own.
func (t *tailnet) mayAssignLocked(tag string, by caller) bool {
	if !t.policy.hasTag(tag) {
		return false
	}
	return !by.isOAuth || t.policy.tagsOwn(by.tags, tag)
}

// redeemLocked finds the key that a device shows. The caller marks it as used once the device is in.
func (t *tailnet) redeemLocked(shown string) (*authKey, error) {
	// A suffix of parameters belongs to keys of OAuth clients, which the client program exchanges by itself.
	id := strings.Split(strings.TrimPrefix(shown, "tskey-auth-"), "-")[0]
	k := t.keys[id]
	if k == nil || shown != k.String() {
		return nil, fmt.Errorf("invalid key: API key does not exist")
	}
	if k.isInvalid(t.now()) {
		return nil, fmt.Errorf("invalid key: API key %s not valid", k.id)
	}
	return k, nil
}

// tagsForLocked settles a joining device's tags: the key's, or those of the device's wish if the key permits them.
func (t *tailnet) tagsForLocked(k *authKey, wish []string) ([]string, error) {
	if len(wish) == 0 {
		return slices.Clone(k.tags), nil
	}
	permitted := func(tag string) bool {
		if len(k.tags) == 0 { // A person's own key: the person may give any tag there is.
			return t.policy.hasTag(tag)
		}
		return t.policy.tagsOwn(k.tags, tag)
	}
	if bad := slices.DeleteFunc(slices.Clone(wish), permitted); len(bad) > 0 {
		return nil, tagsRefused(bad)
	}
	return slices.Clone(wish), nil
}
