package rule

import "strings"

// commentMatch is -m comment: words for people, true of every packet.
type commentMatch struct{ text string }

func (m *commentMatch) name() string       { return "comment" }
func (m *commentMatch) finish(*spec) error { return nil }
func (m *commentMatch) options() []option  { return []option{{name: "comment", args: 1, must: true}} }

// set keeps the first 255 bytes, as the kernel has room for no more.
func (m *commentMatch) set(g given) error {
	if hasControl(g.args[0]) {
		return usage("Newlines not allowed in --comment")
	}
	m.text = g.args[0][:min(len(g.args[0]), 255)]
	return nil
}

func (m *commentMatch) save(b *strings.Builder)         { b.WriteString(" --comment " + quote(m.text)) }
func (m *commentMatch) list(b *strings.Builder, _ bool) { b.WriteString(" /* " + m.text + " */") }
