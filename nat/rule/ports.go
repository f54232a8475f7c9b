package rule

import "strings"

// portRange is a range of ports, both ends included.
type portRange struct {
	low, high uint16
	invert    bool
}

// allPorts is the range that needs no mention.
var allPorts = portRange{high: 65535}

// contains reports whether the condition holds for a port.
func (r portRange) contains(port uint16) bool {
	return (r.low <= port && port <= r.high) != r.invert
}

// save writes the range behind its option.
func (r portRange) save(b *strings.Builder, option string) {
	if r == allPorts {
		return
	}
	writeNot(b, r.invert)
	b.WriteString(" --" + option + " " + decimal(r.low))
	if r.high != r.low {
		b.WriteString(":" + decimal(r.high))
	}
}

// list writes the range for a listing: " dpt:80", " dpts:!80:90".
func (r portRange) list(b *strings.Builder, word, proto string, numeric bool) {
	if r == allPorts {
		return
	}
	b.WriteString(" " + word)
	if r.high != r.low {
		b.WriteString("s:" + bang(r.invert) + serviceName(r.low, proto, numeric) + ":" + serviceName(r.high, proto, numeric))
		return
	}
	b.WriteString(":" + bang(r.invert) + serviceName(r.low, proto, numeric))
}

// parsePortRange reads port[:port]; an end that is left out is the first or the last port.
func parsePortRange(arg string, invert bool) (portRange, error) {
	r := portRange{high: 65535, invert: invert}
	low, high, colon := strings.Cut(arg, ":")
	if !colon {
		high = low
	}
	if !colon || low != "" {
		if err := port(low, &r.low); err != nil {
			return r, err
		}
	}
	if !colon || high != "" {
		if err := port(high, &r.high); err != nil {
			return r, err
		}
	}
	if r.low > r.high {
		return r, usage("invalid portrange (min > max)")
	}
	return r, nil
}

// transportPorts is parsePortRange for tcp and udp, where nf_tables turns "not up to 1023" into "from 1024 on".
func transportPorts(g given) (portRange, error) {
	r, err := parsePortRange(g.args[0], g.invert)
	if r.invert && r.low == 0 && 0 < r.high && r.high < 65535 {
		r = portRange{low: r.high + 1, high: 65535}
	}
	return r, err
}

// port reads one port, by number or by the name of its service.
func port(arg string, to *uint16) error {
	p, ok := parsePort(arg)
	if !ok {
		return usage("invalid port/service `%s' specified", arg)
	}
	*to = p
	return nil
}

// parsePort reads a port, by number or by the name of its service.
func parsePort(arg string) (uint16, bool) {
	if n, ok := parseNumber(arg, 65535); ok {
		return uint16(n), true
	}
	return servicePort(arg)
}
