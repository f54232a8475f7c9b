package names

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Resolv is what a resolv.conf says (resolv.conf(5)).
type Resolv struct {
	Servers []netip.Addr // at most three
	Search  []string
	Options []string
}

// Bounds of a resolv.conf: what the C library reads of it, and how much of it is looked at.
const (
	maxServers = 3
	maxConf    = 64 << 10 // bytes
)

// ParseResolv reads a resolv.conf. What it does not understand it leaves out, as the C library does.
func ParseResolv(r io.Reader) (c Resolv) {
	lines := bufio.NewScanner(io.LimitReader(r, maxConf))
	lines.Buffer(nil, maxConf)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			if a, err := netip.ParseAddr(words[1]); err == nil && len(c.Servers) < maxServers && !slices.Contains(c.Servers, a) {
				c.Servers = append(c.Servers, a)
			}
		case "domain", "search": // the last one counts
			c.Search = words[1:]
		case "options":
			c.Options = append(c.Options, words[1:]...)
		}
	}
	return c
}

// Format writes a resolv.conf, below comment, each line of which begins with #.
func (c Resolv) Format(comment string) []byte {
	var b strings.Builder
	b.WriteString(comment)
	for _, a := range c.Servers {
		fmt.Fprintf(&b, "nameserver %v\n", a)
	}
	if len(c.Search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(c.Search, " "))
	}
	if len(c.Options) > 0 {
		fmt.Fprintf(&b, "options %s\n", strings.Join(c.Options, " "))
	}
	return []byte(b.String())
}
