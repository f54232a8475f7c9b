package words_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"uswitch/cmd/internal/words"
)

func TestAccepted(t *testing.T) {
	const key = "%s ago"
	for header, want := range map[string]string{
		"": "2s ago", "ko": "2s 전", "ko-KR,ko;q=0.9,en;q=0.8": "2s 전", "en-GB,ko;q=0.5": "2s ago", "de, ko;q=0.1": "2s 전",
		"en;q=0.2, ko;q=0.7": "2s 전", "de": "2s ago", ";;": "2s ago", "kok": "2s ago",
	} {
		if got := words.Accepted(header)(key, "2s"); got != want {
			t.Errorf("Accept-Language: %s: %q, want %q", header, got, want)
		}
	}
	in, err := words.Named("ko")
	if err != nil {
		t.Fatal(err)
	}
	if got := in("what no catalogue has: %d", 3); got != "what no catalogue has: 3" {
		t.Error(got)
	}
	if _, err := words.Named("xx"); err == nil || !strings.Contains(err.Error(), `"xx": want one of en, ko`) {
		t.Error(err)
	}
}

func TestLocale(t *testing.T) {
	for _, c := range []struct{ all, messages, lang, want string }{
		{"", "", "ko_KR.UTF-8", "ko"}, {"", "ko", "en_US.UTF-8", "ko"}, {"C", "ko_KR", "ko_KR", "en"}, {"", "", "", "en"},
		{"", "", "de_DE.UTF-8", "en"}, {"", "", "kok_IN", "en"}, {"", "", "ko.UTF-8", "ko"},
	} {
		env := map[string]string{"LC_ALL": c.all, "LC_MESSAGES": c.messages, "LANG": c.lang}
		if got := words.Locale(func(key string) string { return env[key] }, words.Languages()); got != c.want {
			t.Errorf("%v: %s, want %s", env, got, c.want)
		}
	}
}

// TestText: an error is said in a language with all that it wraps, and is still what it wraps.
func TestText(t *testing.T) {
	in, err := words.Named("ko")
	if err != nil {
		t.Fatal(err)
	}
	inner := words.Errorf("%q is no name: %w", "x", fs.ErrNotExist)
	outer := words.Errorf("lab %s is gone", "red-blue")
	for _, c := range []struct {
		err  error
		want string
	}{
		{outer, "실습 환경이 사라졌습니다: red-blue"}, {inner, `"x" is no name: file does not exist`},
		{errors.Join(outer, fs.ErrExist), "실습 환경이 사라졌습니다: red-blue\nfile already exists"},
		{marked{outer}, "실습 환경이 사라졌습니다: red-blue"}, {fmt.Errorf("why: %w", outer), "why: lab red-blue is gone"},
		{words.Errorf("%w twice: %w", outer, outer), "실습 환경이 사라졌습니다: red-blue twice: 실습 환경이 사라졌습니다: red-blue"},
	} {
		if got := words.Text(in, c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
	if !errors.Is(inner, fs.ErrNotExist) || inner.Error() != `"x" is no name: file does not exist` {
		t.Error(inner)
	}
}

// marked is an error that says nothing of its own.
type marked struct{ error }

func (m marked) Unwrap() error { return m.error }
