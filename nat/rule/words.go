package rule

import "fmt"

// Words is the version of iptables in whose words tables are listed. The zero value is that of Debian 12, which the rest of the
// package speaks too.
type Words uint8

// The versions. Up to 1.8.8, -L names protocols also with -n: all and tcp, where 1.8.9 has 0 and 6.
const (
	Words189 Words = iota
	Words187
)

// wordsNames are the names that ParseWords takes.
var wordsNames = [...]string{Words189: "1.8.9", Words187: "1.8.7"}

// String returns the version.
func (w Words) String() string { return wordsNames[w] }

// ParseWords finds a version: 1.8.9, which is also meant by nothing, or 1.8.7.
func ParseWords(version string) (Words, error) {
	for w, name := range wordsNames {
		if version == name {
			return Words(w), nil
		}
	}
	if version == "" {
		return Words189, nil
	}
	return 0, fmt.Errorf("%q: want 1.8.9 or 1.8.7", version)
}
