package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"uswitch/switch/frame"
)

// MaxName is the length of the longest name: a namespace is a file, and a host's name becomes one. 63 is also the longest
// label that DNS has (RFC 1035 section 2.3.4).
const MaxName = 63

// MaxInterfaceName is the length of the longest name of a network device: IFNAMSIZ with its closing zero taken off.
const MaxInterfaceName = 15

const nameWanted = "want letters, digits, '_', '.' and '-', with a letter or a digit first"

// ValidateName accepts the name of a lab, a host, a network or a namespace. It is one rule for all of them, and it is
// stricter than any place where a name may end up - a file under /run/netns, a socket's path, a host name, a column of a
// table - so that a name that has passed needs no quoting and no second look. what is the thing, for the message.
func ValidateName(what, name string) error { return validateName(what, name, MaxName) }

// ValidateInterfaceName accepts the name of a network device inside a host. The rule is ValidateName's with the kernel's
// shorter limit, and lo, which every namespace has already, is refused.
func ValidateInterfaceName(name string) error {
	if err := validateName("interface name", name, MaxInterfaceName); err != nil {
		return err
	}
	if name == "lo" || name == "all" || name == "default" {
		return fmt.Errorf("interface name %q: the kernel uses this name itself", name)
	}
	return nil
}

func validateName(what, name string, longest int) error {
	switch {
	case name == "":
		return fmt.Errorf("%s is empty: %s", what, nameWanted)
	case len(name) > longest:
		return fmt.Errorf("%s %q... is %d bytes long: want at most %d", what, clip(name, 20), len(name), longest)
	}
	for i, c := range []byte(name) {
		letterOrDigit := '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		if !letterOrDigit && (i == 0 || !strings.ContainsRune("_.-", rune(c))) {
			return fmt.Errorf("%s %q: %s", what, name, nameWanted)
		}
	}
	return nil
}

// maxNames bounds the hosts of a lab, and its networks. It is four times what the ports of one Linux bridge come to.
const maxNames = 4096

// reserved are names that mean something else wherever a host or a network can be named.
var reserved = []string{"all", "any", "gateway", "uplink"}

// names checks every name of the file before anything else is done with it; nothing after this looks at a name again.
func (s *source) names() {
	for what, key := range map[string]string{"host name": "services", "network name": "networks"} {
		names := s.keys(path{key})
		if len(names) > maxNames {
			s.wrong(path{key}, "%d of them: want at most %d", len(names), maxNames)
			continue
		}
		for _, name := range names {
			if err := ValidateName(what, name); err != nil {
				s.wrong(path{key, name}, "%v", err)
			} else if slices.Contains(reserved, name) {
				s.wrong(path{key, name}, "%s %q: the name is taken; %s mean something else to uswitch", what, name, strings.Join(reserved, ", "))
			}
		}
	}
}

// clip cuts s to at most n bytes, so that a message cannot be flooded.
func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

func parseAddr(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return netip.Addr{}, fmt.Errorf("%q: want an IPv4 address, as in 11.11.11.2", clip(text, 60))
	}
	return a, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("%q: want an IPv4 address and a length, as in 11.11.11.0/24", clip(text, 60))
	}
	return p, nil
}

func parseStation(text string) (frame.MAC, error) {
	m, err := frame.ParseMAC(text)
	switch {
	case err != nil:
		return m, fmt.Errorf("%q: want six pairs of hex digits, as in 02:42:0b:0b:0b:02", clip(text, 60))
	case !m.IsStation():
		return m, fmt.Errorf("%v: no station can have this address: want one whose first octet is even, and not all zero", m)
	}
	return m, nil
}
