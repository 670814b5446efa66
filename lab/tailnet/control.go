package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"

	"golang.org/x/net/http2"
	"tailscale.com/control/controlhttp/controlhttpserver"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

const messageLimit = 1 << 20

// control is the coordination server: what tailscaled talks to.
type control struct {
	*tailnet
	noise key.MachinePrivate
	// legacy is asked for and not used any more by clients of today.
	legacy key.MachinePrivate
	inner  *http.ServeMux
}

func newControl(t *tailnet) *control {
	c := &control{tailnet: t, noise: key.NewMachine(), legacy: key.NewMachine(), inner: http.NewServeMux()}
	c.inner.HandleFunc("POST /machine/register", c.register)
	c.inner.HandleFunc("POST /machine/map", c.serveMap)
	c.inner.HandleFunc("/machine/update-health", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	return c
}

// routes adds what is reached without the encrypted channel.
func (c *control) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /key", c.guarded(c.serveKey))
	mux.HandleFunc("POST /ts2021", c.guarded(c.upgrade))
	mux.HandleFunc("GET /generate_204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
}

func (c *control) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		isDown := c.faults.Control == "down"
		c.mu.Unlock()
		if isDown {
			panic(http.ErrAbortHandler)
		}
		next(w, r)
	}
}

func (c *control) serveKey(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(&tailcfg.OverTLSPublicKeyResponse{
		LegacyPublicKey: c.legacy.Public(), PublicKey: c.noise.Public(),
	})
}

type machineContextKey struct{}

// upgrade opens the encrypted channel; over it come ordinary requests, from a machine whose key is proved.
func (c *control) upgrade(w http.ResponseWriter, r *http.Request) {
	conn, err := controlhttpserver.AcceptHTTP(r.Context(), w, r, c.noise, nil)
	if err != nil {
		log.Printf("ts2021 from %s: %v", r.RemoteAddr, err)
		return
	}
	defer conn.Close()
	var server http2.Server
	server.ServeConn(conn, &http2.ServeConnOpts{
		Context:    context.WithValue(r.Context(), machineContextKey{}, conn.Peer()),
		BaseConfig: &http.Server{Handler: c.inner},
	})
}

// readRequest reads a machine's message; the answer to a bad one is written here.
func readRequest(w http.ResponseWriter, r *http.Request, into any) (machine key.MachinePublic, ok bool) {
	machine, ok = r.Context().Value(machineContextKey{}).(key.MachinePublic)
	if !ok {
		http.Error(w, "no machine", http.StatusUnauthorized)
		return machine, false
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, messageLimit)).Decode(into); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return machine, false
	}
	return machine, true
}
