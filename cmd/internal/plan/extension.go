package plan

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"uswitch/switch/frame"
)

const extension = "x-uswitch"

// section is one mapping under x-uswitch, decoded strictly: every key is asked for by name and type, and what nobody
// has asked for is a mistake. So the list of what is allowed, in messages and in documentation, is the code that reads it.
type section struct {
	*source
	at     path
	values map[string]any
	asked  []string
}

// section opens the x-uswitch of the mapping at a path. It may be absent: then every key has its default.
func (s *source) extension(parent any, at path) *section {
	mapping, _ := parent.(map[string]any)
	value, present := mapping[extension]
	if !present {
		return &section{source: s, at: at.to(extension)}
	}
	return s.section(value, at.to(extension))
}

func (s *source) section(value any, at path) *section {
	values, ok := value.(map[string]any)
	if !ok && value != nil {
		s.wrong(at, "want a mapping")
	}
	return &section{source: s, at: at, values: values}
}

// close notes the keys that nobody has asked for.
func (c *section) close() {
	slices.Sort(c.asked)
	c.asked = slices.Compact(c.asked)
	for _, key := range slices.Sorted(maps.Keys(c.values)) {
		if !slices.Contains(c.asked, key) {
			c.wrong(c.at.to(key), "no such key: want one of %s", strings.Join(c.asked, ", "))
		}
	}
}

// get returns a value, nil where the key is absent or has none.
func (c *section) get(key string) any {
	c.asked = append(c.asked, key)
	return c.values[key]
}

func (c *section) bad(key, format string, args ...any) { c.wrong(c.at.to(key), format, args...) }

// boolean also takes the words true and false as text, which is what a variable makes of them.
func (c *section) boolean(key string, absent bool) bool {
	switch value := c.get(key).(type) {
	case nil:
		return absent
	case bool:
		return value
	case string:
		if value == "true" || value == "false" {
			return value == "true"
		}
		c.bad(key, "%q: want true or false", clip(value, 40))
	default:
		c.bad(key, "want true or false")
	}
	return absent
}

// number also takes digits as text.
func (c *section) number(key string, least, most, absent int) int {
	var n int
	switch value := c.get(key).(type) {
	case nil:
		return absent
	case int:
		n = value
	case string:
		parsed, err := strconv.Atoi(value)
		if err != nil {
			c.bad(key, "%q: want a whole number from %d to %d", clip(value, 40), least, most)
			return absent
		}
		n = parsed
	default:
		c.bad(key, "want a whole number from %d to %d", least, most)
		return absent
	}
	if n < least || n > most {
		c.bad(key, "%d: want a whole number from %d to %d", n, least, most)
		return absent
	}
	return n
}

// text returns a string, empty where the key is absent.
func (c *section) text(key string) string {
	switch value := c.get(key).(type) {
	case nil:
		return ""
	case string:
		return value
	default:
		c.bad(key, "want a text, in quotes if need be")
		return ""
	}
}

// list returns a list, nil where the key is absent or has no value.
func (c *section) list(key, of string) []any {
	value := c.get(key)
	items, ok := value.([]any)
	if !ok && value != nil {
		c.bad(key, "want a list of %s", of)
	}
	return items
}

func (c *section) address(key string) netip.Addr {
	text := c.text(key)
	if text == "" {
		return netip.Addr{}
	}
	a, err := parseAddr(text)
	if err != nil {
		c.bad(key, "%v", err)
	}
	return a
}

// mac returns the address of a station, and false where the key is absent or wrong.
func (c *section) mac(key string) (frame.MAC, bool) {
	text := c.text(key)
	if text == "" {
		return frame.MAC{}, false
	}
	m, err := parseStation(text)
	if err != nil {
		c.bad(key, "%v", err)
	}
	return m, err == nil
}
