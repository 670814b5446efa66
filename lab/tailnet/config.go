package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// config is what the lab tells the program, in a file that only root reads: it holds the API's credentials.
type config struct {
	// Listen is the address of the control server and the API, which share a port.
	Listen string `json:"listen"`
	// URL is where nodes and providers find it.
	URL string `json:"url"`
	// DERPListen and STUNListen are addresses of the relay; nodes dial them as they stand here.
	DERPListen string `json:"derpListen"`
	STUNListen string `json:"stunListen"`
	// Tailnet is the organization's name, Domain the one of MagicDNS, User the login that owns untagged devices.
	Tailnet string `json:"tailnet"`
	Domain  string `json:"domain"`
	User    string `json:"user"`
	// APIKeys are accepted from the start.
	APIKeys      []string      `json:"apiKeys"`
	OAuthClients []oauthClient `json:"oauthClients"`
}

type oauthClient struct {
	ID     string   `json:"id"`
	Secret string   `json:"secret"`
	Scopes []string `json:"scopes"`
	Tags   []string `json:"tags"`
}

func readConfig(path string) (config, error) {
	var c config
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
