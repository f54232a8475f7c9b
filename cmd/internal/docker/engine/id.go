package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// shortID is how much of an id docker ps shows.
const shortID = 12

// newID draws an id: 64 hexadecimal digits, of which the first twelve are not all decimal, so that nobody takes them for a
// number (moby pkg/stringid, GenerateRandomID).
func (e *Engine) newID() string {
	for {
		var b [32]byte
		for i := range b {
			b[i] = byte(e.random.Uint32())
		}
		id := hex.EncodeToString(b[:])
		if strings.ContainsAny(id[:shortID], "abcdef") {
			return id
		}
	}
}

// derivedID returns the id of something that the lab has made and not the engine: the same in every run of the lab.
func derivedID(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:])
}
