package trace

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"uswitch/switch/frame"
)

// Printable returns s with every byte and rune that a terminal would act upon instead of showing (control characters,
// escape sequences, text direction marks, invalid UTF-8) written as Go writes it in a string: \x1b, \n, \u202e. Names
// come from files and packets, and neither may drive somebody's terminal.
func Printable(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if hidden(r) {
			quoted := strconv.QuoteToASCII(s[:n])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

func hidden(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// maxNames is how many ports a flood names before it counts the rest.
const maxNames = 4

// list joins names as a person would: "BLUE, GREEN and the gateway". More than maxNames end in a count.
func list(in Language, names []string) string {
	switch n := len(names); {
	case n == 0:
		return in("nobody")
	case n == 1:
		return the(in, names[0])
	case n > maxNames:
		return in("%s and %s others", strings.Join(names[:maxNames-1], ", "), commas(uint64(n-maxNames+1)))
	default:
		return in("%s and %s", strings.Join(names[:n-1], ", "), the(in, names[n-1]))
	}
}

// the puts an article before the two names that are words.
func the(in Language, name string) string {
	switch name {
	case "gateway":
		return in("the gateway")
	case "uplink":
		return in("the uplink")
	}
	return name
}

// or returns s, or instead when s is empty.
func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// span writes a duration with the precision that a person cares about: 0.4 ms, 12 ms, 1.5 s, 4 min, 3 h.
func span(in Language, d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return in("%.1f ms", d.Seconds()*1e3)
	case d < time.Second:
		return in("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return in("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return in("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return in("%d min", int(d.Minutes()))
	}
	return in("%d h", int(d.Hours()))
}

// ago says when something happened that is d old.
func ago(in Language, d time.Duration) string {
	if d < time.Millisecond {
		return in("just now") // tables do not note more than that
	}
	return in("%s ago", span(in, d))
}

// commas writes a number with a comma between thousands: 1,204.
func commas(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes a number of bytes in the unit that leaves few digits: 980 bytes, 12.3 kB, 1.7 MB.
func size(in Language, n uint64) string {
	unit, v := "", float64(n)
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		if v < 1000 {
			break
		}
		unit, v = next, v/1000
	}
	if unit == "" {
		return bytesWord(in, int(n))
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// bytesWord writes an exact number of bytes: 1 byte, 1,514 bytes.
func bytesWord(in Language, n int) string {
	if n == 1 {
		return in("1 byte")
	}
	return in("%s bytes", commas(uint64(max(n, 0))))
}

// namer turns addresses into what a person calls them, and says the rest in the person's language. Its Names may be nil.
type namer struct {
	names Names
	in    Language
}

func (n namer) nameMAC(m frame.MAC) (string, bool) {
	if n.names == nil {
		return "", false
	}
	return n.names.NameMAC(m)
}

func (n namer) mac(m frame.MAC) string {
	if m.IsBroadcast() {
		return n.in("everyone")
	}
	if name, ok := n.nameMAC(m); ok {
		return name
	}
	return m.String()
}

// isName reports whether text, which came from mac or ip, is a name rather than an address.
func (n namer) isName(text string) bool {
	_, notIP := netip.ParseAddr(text)
	_, notMAC := frame.ParseMAC(text)
	return n.names != nil && notIP != nil && notMAC != nil && text != "?"
}

func (n namer) ip(a netip.Addr) string {
	if n.names != nil {
		if name, ok := n.names.Name(a); ok {
			return name
		}
	}
	return a.String()
}

// station names an address. One that is of a link only is nobody's name, but its MAC address may have one.
func (n namer) station(a netip.Addr, byMAC string) string {
	if name := n.ip(a); name != a.String() || !a.Is6() || !a.IsLinkLocalUnicast() || !n.isName(byMAC) {
		return name
	}
	return byMAC
}

// unknown says why a name that is asked for will not be told to who asks, or nothing.
func (n namer) unknown(asker netip.Addr, name string) string {
	if k, ok := n.names.(Knowing); ok {
		if why, ok := k.Unknown(n.in, asker, name); ok {
			return " (" + why + ")"
		}
	}
	return ""
}

// Language says a sentence in the language of whoever reads it. The key is the English sentence, a format of package fmt with
// its arguments; so English needs no catalogue. A key without arguments is no format: a per cent sign in it is one. It is safe for
// concurrent use.
type Language func(key string, args ...any) string

// English is the language of the keys.
func English(key string, args ...any) string {
	if len(args) == 0 {
		return key
	}
	return fmt.Sprintf(key, args...)
}

// Key returns its argument, and marks it as a sentence that a Language says elsewhere: those of a table, of a constant.
func Key(sentence string) string { return sentence }
