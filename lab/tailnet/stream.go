package main

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/util/zstdframe"
)

const keepAlive = 25 * time.Second

// settle is how long changes are gathered before nodes hear of them.
const settle = 20 * time.Millisecond

// stream is a node's standing request for news. It holds the node online.
type stream struct {
	replaced chan struct{}
}

// serveMap takes in what a node says about itself, and sends it what it may know of the tailnet.
func (c *control) serveMap(w http.ResponseWriter, r *http.Request) {
	var req tailcfg.MapRequest
	machine, ok := readRequest(w, r, &req)
	if !ok {
		return
	}
	n := c.nodeFor(&req, machine)
	if n == nil {
		http.Error(w, "node not found", http.StatusNotFound)
		return
	}
	send := func(m any) bool { return sendMessage(w, req.Compress != "", m) == nil }
	if !req.Stream {
		send(c.mapFor(n))
		return
	}
	changes, stop := c.watch()
	defer stop()
	s := c.openStream(n)
	defer c.closeStream(n, s)
	for send(c.mapFor(n)) {
		for waiting := true; waiting; {
			select {
			case <-r.Context().Done():
				return
			case <-s.replaced:
				return
			case <-changes:
				time.Sleep(settle)
				waiting = false
			case <-time.After(keepAlive):
				if !send(&tailcfg.MapResponse{KeepAlive: true}) {
					return
				}
			}
		}
	}
}

// nodeFor finds the node of a request and takes over what it says of itself.
func (c *control) nodeFor(req *tailcfg.MapRequest, machine key.MachinePublic) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[req.NodeKey]
	if n == nil {
		n = c.gone[req.NodeKey]
	}
	if n == nil || n.machine != machine {
		return nil
	}
	// Since capability version 68 a stream only listens; news of the node come in requests of their own.
	if req.ReadOnly || req.Stream {
		return n
	}
	n.endpoints, n.disco, n.cap, n.lastSeen = req.Endpoints, req.DiscoKey, req.Version, c.now()
	if req.Hostinfo != nil {
		n.info = req.Hostinfo
		if ni := req.Hostinfo.NetInfo; ni != nil && ni.PreferredDERP != 0 {
			n.homeDERP = ni.PreferredDERP
		}
		c.nameLocked(n)
	}
	c.changedLocked()
	return n
}

func (c *control) openStream(n *node) *stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.stream != nil {
		close(n.stream.replaced)
	}
	n.stream = &stream{replaced: make(chan struct{})}
	c.changedLocked()
	return n.stream
}

func (c *control) closeStream(n *node, s *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.stream != s {
		return
	}
	n.stream, n.lastSeen = nil, c.now()
	c.changedLocked()
}

// sendMessage writes one message: its length, then JSON, compressed if the node wants it.
func sendMessage(w http.ResponseWriter, compress bool, m any) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if compress {
		body = zstdframe.AppendEncode(nil, body, zstdframe.FastestCompression)
	}
	body = append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
	if _, err := w.Write(body); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}
