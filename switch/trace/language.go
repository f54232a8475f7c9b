package trace

import "fmt"

// Language says a sentence in the language of whoever reads it. The key is the English sentence, a format of package fmt with
// its arguments; so English needs no catalogue. It is safe for concurrent use.
type Language func(key string, args ...any) string

// English is the language of the keys.
var English Language = fmt.Sprintf
