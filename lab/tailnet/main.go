// Labtailnet is the lab's tailnet: a coordination server, a relay and the part of the API that the project uses.
// Everything is in memory. It serves real tailscaled processes, and nobody outside the lab.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"tailscale.com/net/stunserver"
)

func main() {
	path := flag.String("config", "", "JSON `file` with addresses and credentials")
	ready := flag.String("ready", "", "`file` that is made once every address is listened on")
	flag.Parse()
	if err := serve(*path, *ready); err != nil {
		log.Fatal(err)
	}
}

func serve(path, ready string) error {
	c, err := readConfig(path)
	if err != nil {
		return err
	}
	errs := make(chan error, 3)
	t := newTailnet(c)
	if t.derpMap, err = serveDERP(c.DERPListen, c.STUNListen, errs); err != nil {
		return err
	}
	stun := stunserver.New(context.Background())
	if err := stun.Listen(c.STUNListen); err != nil {
		return err
	}
	go func() { errs <- stun.Serve() }()
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: t.handler()}
	go func() { errs <- server.Serve(listener) }()
	go func() {
		for range time.Tick(250 * time.Millisecond) {
			t.removeEphemeral()
		}
	}()
	if ready != "" {
		if err := os.WriteFile(ready, nil, 0o600); err != nil {
			return err
		}
	}
	return <-errs
}

// handler is all that the control server's address answers.
func (t *tailnet) handler() http.Handler {
	mux := http.NewServeMux()
	newControl(t).routes(mux)
	(&api{t}).routes(mux)
	(&admin{t}).routes(mux)
	return mux
}

// peerTimeout is how long a peer that does not answer counts as connected.
const peerTimeout = 20 * time.Second

// listen opens a port on which a host that was cut off is noticed.
func listen(address string) (net.Listener, error) {
	config := net.ListenConfig{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control: func(_, _ string, raw syscall.RawConn) error {
			var failed error
			err := raw.Control(func(fd uintptr) {
				// Keepalives say nothing while data wait for an answer; accepted connections inherit this one.
				failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(peerTimeout.Milliseconds()))
			})
			if err != nil {
				return err
			}
			return failed
		},
	}
	return config.Listen(context.Background(), "tcp", address)
}
