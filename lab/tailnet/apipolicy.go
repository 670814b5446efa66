package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tailscale/hujson"
)

// etag names the policy's text. `ts-default` matches as long as nobody has set one.
func (p *policy) etag() string { return fmt.Sprintf("\"%x\"", sha256.Sum256([]byte(p.text))) }

func (a *api) getPolicy(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, f := a.admitLocked(r, "policy_file:read"); f != nil {
		fail(w, f)
		return
	}
	a.writePolicyLocked(w, r)
}

// writePolicyLocked writes the policy as the request wants it: byte for byte, or as JSON.
func (a *api) writePolicyLocked(w http.ResponseWriter, r *http.Request) {
	text := []byte(a.policy.text)
	kind := "application/hujson"
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		kind = "application/json"
		text, _ = hujson.Minimize(text) // It has been parsed before.
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("ETag", a.policy.etag())
	w.Write(text)
}

func (a *api) setPolicy(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f := a.replacePolicyLocked(r); f != nil {
		fail(w, f)
		return
	}
	a.writePolicyLocked(w, r)
}

func (a *api) replacePolicyLocked(r *http.Request) *failure {
	if _, f := a.admitLocked(r, "policy_file"); f != nil {
		return f
	}
	match := r.Header.Get("If-Match")
	if match != "" && match != a.policy.etag() && !(a.isDefault && strings.Trim(match, `"`) == "ts-default") {
		return &failure{status: http.StatusPreconditionFailed, message: "precondition failed, invalid old hash"}
	}
	text, f := policyText(r)
	if f != nil {
		return f
	}
	isReset := text == ""
	if isReset {
		text = defaultPolicy
	}
	p, err := parsePolicy(text)
	if err != nil {
		return bad(err)
	}
	if failures := p.runTests(a.lookupLocked); len(failures) > 0 {
		return &failure{status: http.StatusBadRequest, message: "test(s) failed", data: failures}
	}
	a.policy, a.isDefault = p, isReset
	a.changedLocked()
	return nil
}

// validatePolicy says what is wrong with a policy. That is an answer, not an error of the request.
func (a *api) validatePolicy(r *http.Request, _ caller) (any, *failure) {
	text, f := policyText(r)
	if f != nil {
		return nil, f
	}
	p, err := parsePolicy(text)
	if err != nil {
		return map[string]any{"message": err.Error()}, nil
	}
	if failures := p.runTests(a.lookupLocked); len(failures) > 0 {
		return map[string]any{"message": "test(s) failed", "data": failures}, nil
	}
	return map[string]any{}, nil
}

func policyText(r *http.Request) (string, *failure) {
	text, err := io.ReadAll(io.LimitReader(r.Body, messageLimit))
	if err != nil {
		return "", bad(err)
	}
	return string(text), nil
}
