package hosttool

import (
	"slices"
	"strings"
)

// words are what is left of a command line in iproute2's language.
type words struct {
	rest  []string
	usage string // of the program, for whoever types what it does not know: "ip"
}

// next takes a word; ok is false at the end.
func (w *words) next() (word string, ok bool) {
	if len(w.rest) == 0 {
		return "", false
	}
	word, w.rest = w.rest[0], w.rest[1:]
	return word, true
}

// value takes the word behind the one that wants it.
func (w *words) value() (string, error) {
	word, ok := w.next()
	if !ok {
		return "", refuse(255, `Command line is not complete. Try option "help"`)
	}
	return word, nil
}

// set takes the value of an option that may stand only once.
func (w *words) set(option string, value *string) (err error) {
	word, err := w.value()
	if err == nil && *value != "" {
		err = refuse(255, "Error: duplicate %q: %q is the second value.", option, word)
	}
	*value = word
	return err
}

// once is set in the words of programs that call any repetition garbage.
func (w *words) once(option string, value *string) error {
	word, err := w.value()
	if err != nil {
		return err
	}
	before := *value
	*value = word
	if before != "" {
		return refuse(255, "Error: either %q is duplicate, or %q is a garbage.", option, option)
	}
	return nil
}

// place takes a word that stands for itself - a device, a prefix - and may stand only once.
func place(word string, value *string, option string) error {
	if *value != "" {
		return refuse(255, "Error: either %q is duplicate, or %q is a garbage.", option, word)
	}
	*value = word
	return nil
}

// expand finds what a word is short for: the first of the names that begins with it, as iproute2 has it. The order of
// names is therefore the real program's, with those that are not answered here among them.
func expand(word string, names []string) string {
	i := slices.IndexFunc(names, func(name string) bool { return word != "" && strings.HasPrefix(name, word) })
	if i < 0 {
		return ""
	}
	return names[i]
}

// command takes the word that says what to do, show if there is none. All names are known to the real program; only those
// in here are answered.
func (w *words) command(object string, names, here []string) (string, error) {
	word, ok := w.next()
	if !ok {
		return "show", nil
	}
	name := expand(word, names)
	switch {
	case name == "":
		return "", refuse(255, "Command %q is unknown, try \"uswitch %s -h\".", word, w.usage)
	case name == "lst" || name == "list":
		name = "show"
	}
	if !slices.Contains(here, name) {
		return "", refuse(255, "Command \"%s %s %s\" is not answered here; there is %s.", w.usage, object, name, strings.Join(here, ", "))
	}
	return name, nil
}

// options takes the options in front of the object. Each of names may be shortened; those in flags are answered.
func (w *words) options(names []string, flags map[string]*bool) error {
	for len(w.rest) > 0 && strings.HasPrefix(w.rest[0], "-") {
		word, _ := w.next()
		short := "-" + strings.TrimLeft(word, "-")
		name := expand(short, names)
		flag, here := flags[name]
		switch {
		case name == "" || short == "-":
			return refuse(255, "Option %q is unknown, try \"uswitch %s -h\".", word, w.usage)
		case !here:
			return refuse(255, "Option %q (%s) is not answered here, try \"uswitch %s -h\".", word, name, w.usage)
		}
		*flag = true
	}
	return nil
}

// unanswered refuses a word that the real program knows as a filter and nothing else.
func (w *words) unanswered(word string) error {
	return refuse(255, "Error: %q is not answered by uswitch %s.", word, w.usage)
}
