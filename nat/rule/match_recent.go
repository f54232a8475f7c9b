package rule

import (
	"net/netip"
	"strings"
	"time"
)

// maxHits is the most that --hitcount may ask for: a list keeps the times of so many packets of each address.
const maxHits = 255

// recentMatch is -m recent: it keeps a list of addresses with the times at which they were last seen, and asks it.
type recentMatch struct {
	family    Family
	operation string // "set", "rcheck", "update" or "remove"
	invert    bool
	seconds   uint32 // 0 is ever
	reap      bool
	hits      uint32 // 0 is once
	sameTTL   bool
	listName  string // the list's name
	dest      bool
	mask      netip.Addr
	addresses *recentList // shared by all rules that name the list; made by link
}

func (m *recentMatch) name() string { return "recent" }

func (m *recentMatch) options() []option {
	const operation = "operation"
	return []option{
		{name: "set", not: true, group: operation},
		{name: "rcheck", not: true, group: operation},
		{name: "update", not: true, group: operation},
		{name: "remove", not: true, group: operation},
		{name: "seconds", args: 1},
		{name: "reap", needs: "seconds"},
		{name: "hitcount", args: 1},
		{name: "rttl", bars: "set remove"},
		{name: "name", args: 1},
		{name: "rsource"},
		{name: "rdest"},
		{name: "mask", args: 1},
	}
}

func (m *recentMatch) set(g given) error {
	switch g.option {
	case "set", "rcheck", "update", "remove":
		m.operation, m.invert = g.option, g.invert
	case "seconds":
		n, ok := parseNumber(g.args[0], 1<<32-1)
		if !ok || n == 0 {
			return usage("recent: bad value for option \"--seconds\", or out of range (1-4294967295).")
		}
		m.seconds = uint32(n)
	case "reap":
		m.reap = true
	case "hitcount":
		n, ok := parseNumber(g.args[0], 1<<32-1)
		if !ok {
			return usage("recent: bad value for option \"--hitcount\", or out of range (0-4294967295).")
		}
		m.hits = uint32(n)
	case "rttl":
		m.sameTTL = true
	case "name":
		m.listName = g.args[0][:min(len(g.args[0]), maxListName)]
	case "rsource":
		m.dest = false
	case "rdest":
		m.dest = true
	case "mask":
		mask, ok := parseMask(m.family, g.args[0])
		if !ok {
			return usage("recent: bad value for option \"--mask\"")
		}
		m.mask = mask
	}
	return nil
}

// parseMask reads a mask: an address, or one number of 32 bits (inet_aton).
func parseMask(f Family, arg string) (netip.Addr, bool) {
	if n, ok := parseNumber(arg, 1<<32-1); ok && f == IPv4 {
		return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), true
	}
	return parseAddr(f, arg, false)
}

// maxListName is the longest name of a list in bytes (XT_RECENT_NAME_LEN less the end); the rest of a longer one is cut.
const maxListName = 199

func (m *recentMatch) finish(*spec) error {
	if m.operation == "" {
		return usage("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'")
	}
	return nil
}

// invalid says what the kernel refuses (recent_mt_check), and what cannot be kept here.
func (m *recentMatch) invalid(*spec) string {
	switch writes := m.operation == "set" || m.operation == "remove"; {
	case writes && (m.seconds != 0 || m.hits != 0 || m.reap):
		return "--seconds, --reap and --hitcount are for --rcheck and --update"
	case m.hits > maxHits:
		return "--hitcount may be up to " + decimal(maxHits)
	case m.listName == "" || m.listName == "." || m.listName == ".." || strings.ContainsAny(m.listName, "/ \t\"'\\") || hasControl(m.listName):
		return "a list's name is a word without blanks, quotes and slashes"
	}
	return ""
}

func (m *recentMatch) holds(p *Packet) bool {
	addr, ttl := p.Tuple.SrcIP, p.TTL
	if m.dest {
		addr = p.Tuple.DstIP
	}
	if p.InIface != "" && p.OutIface != "" {
		ttl++ // as it was before it was forwarded
	}
	if m.addresses == nil {
		return m.invert
	}
	return m.addresses.ask(m, addr, ttl, p.Now) != m.invert
}

// fresh and fork return the same condition; the lists are shared by name, and linkRecent and Fork see to them.
func (m *recentMatch) fresh() match { c := *m; return &c }
func (m *recentMatch) fork() match  { return m.fresh() }

// window is how far back --seconds looks.
func (m *recentMatch) window() time.Duration { return time.Duration(m.seconds) * time.Second }

func (m *recentMatch) save(b *strings.Builder) {
	writeNot(b, m.invert)
	b.WriteString(" --" + m.operation)
	if m.seconds != 0 {
		b.WriteString(" --seconds " + decimal(m.seconds))
	}
	if m.reap {
		b.WriteString(" --reap")
	}
	if m.hits != 0 {
		b.WriteString(" --hitcount " + decimal(m.hits))
	}
	if m.sameTTL {
		b.WriteString(" --rttl")
	}
	side := "source"
	if m.dest {
		side = "dest"
	}
	b.WriteString(" --name " + m.listName + " --mask " + m.mask.String() + " --r" + side)
}

func (m *recentMatch) list(b *strings.Builder, _ bool) {
	writeNot(b, m.invert)
	word := map[string]string{"rcheck": "CHECK"}[m.operation]
	if word == "" {
		word = strings.ToUpper(m.operation)
	}
	b.WriteString(" recent: " + word)
	if m.seconds != 0 {
		b.WriteString(" seconds: " + decimal(m.seconds))
	}
	if m.reap {
		b.WriteString(" reap")
	}
	if m.hits != 0 {
		b.WriteString(" hit_count: " + decimal(m.hits))
	}
	if m.sameTTL {
		b.WriteString(" TTL-Match")
	}
	side := "source"
	if m.dest {
		side = "dest"
	}
	b.WriteString(" name: " + m.listName + " side: " + side + " mask: " + m.mask.String())
}
