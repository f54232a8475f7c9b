package client

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestEscape: Ctrl-P Ctrl-Q ends what is typed, and a Ctrl-P before anything else is typed after all.
func TestEscape(t *testing.T) {
	for typed, want := range map[string]string{"abc": "abc", "a\x10b": "a\x10b", "a\x10\x11b": "a!", "\x10\x10\x11": "\x10!", "\x11\x10": "\x11"} {
		for _, in := range []io.Reader{strings.NewReader(typed), iotest.OneByteReader(strings.NewReader(typed))} {
			got, err := io.ReadAll(&escape{in: in})
			text := string(got)
			if errors.Is(err, errEscape) {
				text += "!"
			}
			if text != want {
				t.Errorf("%q: %q, want %q", typed, text, want)
			}
		}
	}
}
