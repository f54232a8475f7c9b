package rule

import "strings"

// logWarning is the syslog level that LOG has by itself.
const logWarning = 4

// logLevels are the names of the syslog levels by number, as listings print them; further spellings follow.
var logLevels = []string{"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"}

var logAliases = map[string]uint8{"panic": 0, "error": 3, "warning": 4}

// logFlags are the options that add something to a line of the log, in the order of their bits in linux/netfilter/nf_log.h.
var logFlags = []struct {
	option, listed string
	bit            uint8
}{
	{"log-tcp-sequence", "tcp-sequence", 0x01},
	{"log-tcp-options", "tcp-options", 0x02},
	{"log-ip-options", "ip-options", 0x04},
	{"log-uid", "uid", 0x08},
	{"log-macdecode", "macdecode", 0x20},
}

// logTarget is the target LOG: it notes the packet and goes on with the next rule.
type logTarget struct {
	prefix string // up to 29 bytes
	level  uint8
	flags  uint8
}

func (t *logTarget) name() string       { return "LOG" }
func (t *logTarget) place() place       { return place{} }
func (t *logTarget) finish(*spec) error { return nil }

func (t *logTarget) options() []option {
	all := []option{{name: "log-level", args: 1}, {name: "log-prefix", args: 1}}
	for _, f := range logFlags {
		all = append(all, option{name: f.option})
	}
	return all
}

func (t *logTarget) set(g given) error {
	switch g.option {
	case "log-level":
		return t.setLevel(g.args[0])
	case "log-prefix":
		return t.setPrefix(g.args[0])
	}
	for _, f := range logFlags {
		if f.option == g.option {
			t.flags |= f.bit
		}
	}
	return nil
}

func (t *logTarget) setLevel(arg string) error {
	if n, ok := parseNumber(arg, 7); ok {
		t.level = uint8(n)
		return nil
	}
	for i, name := range logLevels {
		if name == arg {
			t.level = uint8(i)
			return nil
		}
	}
	level, ok := logAliases[arg]
	if !ok {
		return usage("log level \"%s\" unknown", arg)
	}
	t.level = level
	return nil
}

// setPrefix keeps the first 29 bytes, as the kernel has room for no more.
func (t *logTarget) setPrefix(arg string) error {
	switch {
	case arg == "":
		return usage("Argument must have a minimum length of 1 characters")
	case hasControl(arg):
		return usage("Newlines not allowed in --log-prefix")
	}
	t.prefix = arg[:min(len(arg), 29)]
	return nil
}

func (t *logTarget) save(b *strings.Builder) {
	if t.prefix != "" {
		b.WriteString(" --log-prefix " + quote(t.prefix))
	}
	if t.level != logWarning {
		b.WriteString(" --log-level " + decimal(t.level))
	}
	for _, f := range logFlags {
		if t.flags&f.bit != 0 {
			b.WriteString(" --" + f.option)
		}
	}
}

func (t *logTarget) list(b *strings.Builder, numeric bool) {
	if numeric {
		b.WriteString(" LOG flags " + decimal(t.flags) + " level " + decimal(t.level))
	} else {
		b.WriteString(" LOG level " + logLevels[t.level])
		for _, f := range logFlags {
			if t.flags&f.bit != 0 {
				b.WriteString(" " + f.listed)
			}
		}
	}
	if t.prefix != "" {
		b.WriteString(" prefix \"" + t.prefix + "\"")
	}
}
