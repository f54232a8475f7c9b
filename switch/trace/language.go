package trace

import "fmt"

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
