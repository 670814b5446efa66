package main

import (
	"maps"
	"net/http"
	"slices"
)

// resolver is a name server as the API writes it.
type resolver struct {
	Address         string `json:"address"`
	UseWithExitNode bool   `json:"useWithExitNode,omitempty"`
}

// dnsSettings are the tailnet's DNS settings. Each of the API's paths shows some of them.
type dnsSettings struct {
	MagicDNS      bool
	OverrideLocal bool
	Nameservers   []resolver
	SearchPaths   []string
	Split         map[string][]resolver
}

type dnsPreferences struct {
	MagicDNS bool `json:"magicDNS"`
}

type dnsConfiguration struct {
	Nameservers []resolver            `json:"nameservers"`
	SplitDNS    map[string][]resolver `json:"splitDNS"`
	SearchPaths []string              `json:"searchPaths"`
	Preferences struct {
		OverrideLocalDNS bool `json:"overrideLocalDNS"`
		MagicDNS         bool `json:"magicDNS"`
	} `json:"preferences"`
}

func (a *api) getDNS(r *http.Request, _ caller) (any, *failure) {
	d := a.dns
	switch r.PathValue("part") {
	case "preferences":
		return dnsPreferences{d.MagicDNS}, nil
	case "nameservers":
		return map[string]any{"dns": addressesOf(d.Nameservers)}, nil
	case "searchpaths":
		return map[string]any{"searchPaths": append([]string{}, d.SearchPaths...)}, nil
	case "split-dns":
		return splitDNS(d.Split), nil
	case "configuration":
		var c dnsConfiguration
		c.Nameservers = append([]resolver{}, d.Nameservers...)
		c.SearchPaths = append([]string{}, d.SearchPaths...)
		c.SplitDNS = map[string][]resolver{}
		maps.Copy(c.SplitDNS, d.Split)
		c.Preferences.MagicDNS, c.Preferences.OverrideLocalDNS = d.MagicDNS, d.OverrideLocal
		return c, nil
	}
	return nil, notFound
}

func (a *api) setDNS(r *http.Request, by caller) (any, *failure) {
	if f := a.changeDNSLocked(r); f != nil {
		return nil, f
	}
	a.changedLocked()
	if r.PathValue("part") == "" {
		return splitDNS(a.dns.Split), nil
	}
	return a.getDNS(r, by)
}

func (a *api) changeDNSLocked(r *http.Request) *failure {
	d := &a.dns
	switch r.PathValue("part") {
	case "preferences":
		p := dnsPreferences{}
		f := read(r, &p)
		if f == nil {
			d.MagicDNS = p.MagicDNS
		}
		return f
	case "nameservers":
		var body struct {
			DNS []string `json:"dns"`
		}
		f := read(r, &body)
		if f == nil {
			// Global name servers set this way are the only ones that devices use.
			d.Nameservers, d.OverrideLocal = resolversOf(body.DNS), len(body.DNS) > 0
		}
		return f
	case "searchpaths":
		var body struct {
			SearchPaths []string `json:"searchPaths"`
		}
		f := read(r, &body)
		if f == nil {
			d.SearchPaths = body.SearchPaths
		}
		return f
	case "configuration":
		var c dnsConfiguration
		f := read(r, &c)
		if f == nil {
			*d = dnsSettings{
				MagicDNS: c.Preferences.MagicDNS, OverrideLocal: c.Preferences.OverrideLocalDNS,
				Nameservers: c.Nameservers, SearchPaths: c.SearchPaths, Split: c.SplitDNS,
			}
		}
		return f
	case "": // split-dns: PUT replaces all domains, PATCH those that it names; null or an empty list removes one
		var body map[string][]string
		if f := read(r, &body); f != nil {
			return f
		}
		split := map[string][]resolver{}
		if r.Method == http.MethodPatch {
			maps.Copy(split, d.Split)
		}
		for domain, servers := range body {
			split[domain] = resolversOf(servers)
		}
		maps.DeleteFunc(split, func(_ string, servers []resolver) bool { return len(servers) == 0 })
		d.Split = split
		return nil
	}
	return notFound
}

func resolversOf(addresses []string) []resolver {
	out := make([]resolver, 0, len(addresses))
	for _, address := range addresses {
		out = append(out, resolver{Address: address})
	}
	return out
}

func addressesOf(resolvers []resolver) []string {
	out := make([]string, 0, len(resolvers))
	for _, r := range resolvers {
		out = append(out, r.Address)
	}
	return out
}

func splitDNS(split map[string][]resolver) map[string][]string {
	out := map[string][]string{}
	for _, domain := range slices.Sorted(maps.Keys(split)) {
		out[domain] = addressesOf(split[domain])
	}
	return out
}
