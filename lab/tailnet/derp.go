package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"time"

	"tailscale.com/derp/derpserver"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
)

// derpRegion is outside the numbers of the public relays.
const derpRegion = 900

// serveDERP starts the relay, and returns the map that leads nodes to it. They know its certificate by its digest,
// so that no host needs another authority in its store.
func serveDERP(derpAddr, stunAddr string, errs chan<- error) (*tailcfg.DERPMap, error) {
	host, portText, err := net.SplitHostPort(derpAddr)
	if err != nil {
		return nil, err
	}
	_, stunText, err := net.SplitHostPort(stunAddr)
	if err != nil {
		return nil, err
	}
	port, _ := strconv.Atoi(portText)
	stunPort, _ := strconv.Atoi(stunText)
	certificate, err := selfSigned(host)
	if err != nil {
		return nil, err
	}
	relay := derpserver.New(key.NewNode(), log.Printf)
	mux := http.NewServeMux()
	mux.Handle("/derp", derpserver.Handler(relay))
	mux.HandleFunc("/derp/latency-check", derpserver.ProbeHandler)
	mux.HandleFunc("/generate_204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	listener, err := listen(derpAddr)
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler: mux,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			// The relay takes the connection over, which HTTP/2 has no way of giving up.
			NextProtos: []string{"http/1.1"},
		},
	}
	go func() { errs <- server.ServeTLS(listener, "", "") }()
	node := &tailcfg.DERPNode{
		Name: "lab", RegionID: derpRegion, HostName: host, IPv4: host, IPv6: "none",
		DERPPort: port, STUNPort: stunPort,
		CertName: fmt.Sprintf("sha256-raw:%x", sha256.Sum256(certificate.Certificate[0])),
	}
	region := &tailcfg.DERPRegion{RegionID: derpRegion, RegionCode: "lab", RegionName: "Lab", Nodes: []*tailcfg.DERPNode{node}}
	return &tailcfg.DERPMap{OmitDefaultRegions: true, Regions: map[int]*tailcfg.DERPRegion{derpRegion: region}}, nil
}

func selfSigned(host string) (tls.Certificate, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: host},
		IPAddresses:  []net.IP{net.ParseIP(host)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, err
}
