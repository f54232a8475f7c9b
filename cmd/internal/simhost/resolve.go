package simhost

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/world/names"
	"uswitch/sim"
)

// nameError is why a name has no address, in the words of getaddrinfo(3).
type nameError string

func (e nameError) Error() string { return string(e) }

const (
	errNoName   = nameError("Name or service not known")
	errNoServer = nameError("Temporary failure in name resolution")
	errFamily   = nameError("Address family for hostname not supported")
)

// family is which addresses a program takes.
type family string

const (
	both  family = "" // of IPv6 only where the host has an address that could be their peer's (AI_ADDRCONFIG)
	four  family = "4"
	sixes family = "6"
)

// takes reports whether an address is of the family.
func (f family) takes(a netip.Addr) bool { return f == both || a.Is4() == (f == four) }

// choose reads -4 and -6.
func (c *call) choose(f, six bool) {
	switch {
	case six:
		c.only = sixes
	case f:
		c.only = four
	}
}

// resolve returns the address of a name that a program tries first.
func (c *call) resolve(name string) (netip.Addr, error) {
	all, err := c.resolveAll(name)
	if err != nil {
		return netip.Addr{}, err
	}
	return all[0], nil
}

// resolveAll returns the addresses of a name: one that is written out, those of /etc/hosts, or what a name server says. They are
// in the order in which programs try them.
func (c *call) resolveAll(name string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		if !c.only.takes(a) {
			return nil, errFamily
		}
		return []netip.Addr{a}, nil
	}
	text, _ := c.Namespace.File("/etc/hosts")
	if all := slices.DeleteFunc(inHosts(text, name), func(a netip.Addr) bool { return !c.only.takes(a) }); len(all) > 0 {
		return c.ordered(all), nil
	}
	var failed error = errNoServer
	for _, full := range c.candidates(name) {
		all, err := c.resolveFull(full)
		if err == nil {
			return c.ordered(all), nil
		}
		failed = err
	}
	return nil, failed
}

// inHosts finds a name in a text in the form of /etc/hosts.
func inHosts(text, name string) (all []netip.Addr) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		for _, known := range words[min(1, len(words)):] {
			if a, err := netip.ParseAddr(words[0]); strings.EqualFold(known, name) && err == nil && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// ordered puts addresses into the order of glibc's getaddrinfo, as far as it matters here (RFC 3484 6, whose table it still has):
// those to which there is a way come first; then IPv6, unless it would be spoken from an address of another kind.
func (c *call) ordered(all []netip.Addr) []netip.Addr {
	rank := func(a netip.Addr) int {
		reached, alike := c.Namespace.Host.Suits(a)
		switch {
		case !reached:
			return 3
		case a.Is4():
			return 1
		case alike:
			return 0
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	return all
}

// resolvConf reads the host's /etc/resolv.conf.
func (c *call) resolvConf() names.Resolv {
	text, _ := c.Namespace.File("/etc/resolv.conf")
	return names.ParseResolv(strings.NewReader(text))
}

// candidates are the full names that a name may stand for (resolv.conf(5), search): one without a dot is looked for in the
// search domains first.
func (c *call) candidates(name string) (all []string) {
	for _, domain := range c.resolvConf().Search {
		all = append(all, name+"."+strings.Trim(domain, "."))
	}
	switch {
	case strings.HasSuffix(name, "."):
		return []string{name}
	case strings.Contains(name, "."):
		return append([]string{name}, all...)
	}
	return append(all, name)
}

// resolveFull asks the name servers in turn for the addresses that are wanted, until one says something.
func (c *call) resolveFull(name string) (all []netip.Addr, err error) {
	err = errNoServer
	for _, server := range c.servers() {
		for _, six := range c.families() {
			a, failed := c.lookUp(server, name, six)
			switch {
			case failed == nil && a.IsValid():
				all = append(all, a)
			case failed == nil || errors.Is(failed, sim.ErrNoSuchName):
				err = errNoName
			}
		}
		if len(all) > 0 {
			return all, nil
		}
		if err == errNoName {
			return nil, err
		}
	}
	return nil, err
}

// families are those whose addresses are asked for: not IPv6; IPv6.
func (c *call) families() []bool {
	switch {
	case c.only == four, c.only == both && !c.Namespace.Host.HasGlobal6():
		return []bool{false}
	case c.only == sixes:
		return []bool{true}
	}
	return []bool{false, true}
}

// servers are the name servers that the host can ask.
func (c *call) servers() []netip.Addr { return c.resolvConf().Servers }

// lookUp asks one name server for an address of a family.
func (c *call) lookUp(server netip.Addr, name string, six bool) (netip.Addr, error) {
	return ask(c, func(done func(netip.Addr, error)) { c.Namespace.Host.LookUp(server, name, six, done) })
}

// ask puts a question and waits for its answer, or until the program is ended.
func ask[T any](c *call, question func(done func(T, error))) (answer T, err error) {
	var failed error
	answered := false
	question(func(a T, err error) { answer, failed, answered = a, err, true })
	if err := c.Loop().WaitOr(c.Ctx, func() bool { return answered }); err != nil {
		return answer, err
	}
	return answer, failed
}

// runGetent is getent for hosts and, as getaddrinfo has them, ahosts.
func runGetent(c *call) int {
	if len(c.Args) < 2 || !slices.Contains([]string{"hosts", "ahosts", "ahostsv4", "ahostsv6"}, c.Args[0]) {
		return c.Fail(1, "want: getent hosts NAME|ADDRESS, or getent ahosts|ahostsv4|ahostsv6 NAME")
	}
	status := 0
	for _, name := range c.Args[1:] {
		found := c.getentHosts
		if c.Args[0] != "hosts" {
			c.only = family(strings.TrimPrefix(strings.TrimPrefix(c.Args[0], "ahosts"), "v"))
			found = c.getentAddrs
		}
		if !found(name) {
			status = 2
		}
	}
	return status
}

// getentHosts writes the addresses of a name, those of IPv6 if it has any (getent's hosts_keys); of an address its name.
func (c *call) getentHosts(name string) bool {
	if a, err := netip.ParseAddr(name); err == nil {
		known, ok := c.nameOf(a)
		if ok {
			fmt.Fprintf(c.Stdout, "%-15v %s\n", a, known)
		}
		return ok
	}
	for _, c.only = range []family{sixes, four} {
		if c.only == sixes && !c.Namespace.Host.HasGlobal6() {
			continue
		}
		if all, err := c.resolveAll(name); err == nil {
			for _, a := range all {
				fmt.Fprintf(c.Stdout, "%-15v %s\n", a, name)
			}
			return true
		}
	}
	return false
}

// nameOf is the name of an address: one of /etc/hosts, or what a name server says.
func (c *call) nameOf(a netip.Addr) (string, bool) {
	text, _ := c.Namespace.File("/etc/hosts")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 1 && words[0] == a.String() {
			return words[1], true
		}
	}
	for _, server := range c.servers() {
		name, err := ask(c, func(done func(string, error)) { c.Namespace.Host.LookUpAddr(server, a, done) })
		if err == nil || errors.Is(err, sim.ErrNoSuchName) {
			return strings.TrimSuffix(name, "."), name != ""
		}
	}
	return "", false
}

// getentAddrs writes what getaddrinfo says of a name: each address for each kind of socket.
func (c *call) getentAddrs(name string) bool {
	all, err := c.resolveAll(name)
	for i, a := range all {
		for _, kind := range []string{"STREAM", "DGRAM", "RAW"} {
			of := ""
			if i == 0 && kind == "STREAM" {
				of = name
			}
			fmt.Fprintf(c.Stdout, "%-15v %-6s %s\n", a, kind, of)
		}
	}
	return err == nil
}

// query is what dig is asked.
type query struct {
	server  netip.Addr
	name    string
	reverse netip.Addr
	six     bool // its address of IPv6
	short   bool
}

// runDig is dig for addresses and, with -x, for names: dig [@SERVER] [+short] NAME [A|AAAA], dig [@SERVER] -x ADDRESS.
func runDig(c *call) int {
	q, err := c.readDig()
	if err != nil {
		return c.Fail(1, "%v", err)
	}
	kind, subject := "A", q.name
	if q.six {
		kind = "AAAA"
	}
	var answer string
	if q.reverse.IsValid() {
		kind, subject = "PTR", q.reverse.String()
		answer, err = ask(c, func(done func(string, error)) { c.Namespace.Host.LookUpAddr(q.server, q.reverse, done) })
	} else {
		var a netip.Addr
		if a, err = c.lookUp(q.server, q.name, q.six); err == nil && a.IsValid() {
			answer = a.String()
		}
	}
	switch {
	case errors.Is(err, sim.ErrNoSuchName) && q.short:
	case errors.Is(err, sim.ErrNoSuchName):
		fmt.Fprintf(c.Stdout, ";; status: NXDOMAIN\n;; SERVER: %v#53\n", q.server)
	case errors.Is(err, sim.ErrTimeout):
		fmt.Fprint(c.Stdout, ";; communications error: timed out\n;; no servers could be reached\n")
		return 9
	case err != nil:
		fmt.Fprintf(c.Stdout, ";; communications error to %v#53: %v\n;; no servers could be reached\n", q.server, err)
		return 9
	case q.short && answer != "":
		fmt.Fprintln(c.Stdout, answer)
	case q.short:
	case answer == "":
		fmt.Fprintf(c.Stdout, ";; status: NOERROR, no %s of %s\n;; SERVER: %v#53\n", kind, subject, q.server)
	default:
		fmt.Fprintf(c.Stdout, ";; status: NOERROR\n%s\tIN\t%s\t%s\n;; SERVER: %v#53\n", subject, kind, answer, q.server)
	}
	return 0
}

func (c *call) readDig() (q query, err error) {
	for i := 0; i < len(c.Args); i++ {
		word := c.Args[i]
		switch {
		case strings.HasPrefix(word, "@"):
			q.server, err = c.resolve(word[1:])
		case word == "+short":
			q.short = true
		case word == "-x" && i+1 < len(c.Args):
			i++
			q.reverse, err = netip.ParseAddr(c.Args[i])
		case word == "A" || word == "IN":
		case word == "AAAA":
			q.six = true
		case strings.HasPrefix(word, "+") || strings.HasPrefix(word, "-") || q.name != "":
			err = fmt.Errorf("%q cannot be simulated: want [@SERVER] [+short] NAME [A|AAAA], or -x ADDRESS", word)
		default:
			q.name = word
		}
		if err != nil {
			return q, err
		}
	}
	if q.name == "" && !q.reverse.IsValid() {
		return q, errors.New("want a name")
	}
	if servers := c.servers(); !q.server.IsValid() && len(servers) > 0 {
		q.server = servers[0]
	}
	if !q.server.IsValid() {
		return q, errors.New("no name server is known")
	}
	return q, nil
}
