package test

import (
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode"
)

// What is asTyped, and what is named, is in every reader's language the same.
var (
	asTyped = regexp.MustCompile("`[^`]*`|(?m)uswitch .*$|-[APD] [A-Z].*?(;|$)|x-uswitch.*|default dev [a-z]+")
	english = regexp.MustCompile(`[a-z']+ [a-z']+ [a-z']+`) // three words in a row are no name
)

// inKorean fails if something is said in English, or nothing in Korean.
func inKorean(t *testing.T, what, text string) {
	t.Helper()
	if !hangul(text) {
		t.Errorf("%s says nothing in Korean:\n%s", what, text)
	}
	for line := range strings.Lines(text) {
		if sentence := english.FindString(asTyped.ReplaceAllString(line, "")); sentence != "" {
			t.Errorf("%s says in English %q: %s", what, sentence, line)
		}
	}
}

// inEnglish fails if something is said in Korean.
func inEnglish(t *testing.T, what, text string) {
	t.Helper()
	if hangul(text) || text == "" {
		t.Errorf("%s, in English:\n%s", what, text)
	}
}

func hangul(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Hangul, r) })
}

// reading lets a command be read by somebody whose locale is Korean, or C.
func reading(c *exec.Cmd, locale string) *exec.Cmd {
	c.Env = append(c.Environ(), "LC_ALL="+locale)
	return c
}

// reads returns all that a command writes to somebody whose locale is that. An @ in it stands for the suffix.
func (l *lab) reads(locale string, args ...string) string {
	for i, arg := range args {
		args[i] = l.own(arg)
	}
	text, _ := reading(l.uswitch(args...), locale).CombinedOutput() // an error is read as well
	return strings.ReplaceAll(string(text), l.suffix, "")
}

const korean = "ko_KR.UTF-8"

// TestTwoReaders reads one lab, which was begun in no language, in two languages at once.
func TestTwoReaders(t *testing.T) {
	needs(t)
	t.Parallel()
	checks := "{uplink: sim, checks: [{name: bridged, from: RED@, to: BLUE@}, {name: routed, from: RED@, to: 8.8.8.8}, {name: table, table: fdb, has: nobody}]}"
	l := newLab(t, strings.Replace(threeHosts, "{uplink: none}", checks, 1))
	l.up("--trace", "off")
	l.do("iptables", "-P", "FORWARD", "DROP")
	l.do("iptables", "-F", "FORWARD")
	ko := beginCommand(t, reading(l.uswitch("trace", "--no-fold"), korean))
	c := beginCommand(t, reading(l.uswitch("trace", "--no-fold"), "C"))
	eventually(t, "both read", func() bool {
		l.pings("RED", "8.8.8.8")
		l.pings("RED", "BLUE")
		return ko.stdout.count() > 60 && c.stdout.count() > 60
	})
	for _, follow := range []*process{ko, c} {
		follow.signal(syscall.SIGINT)
		if status := follow.wait(); status != 0 {
			t.Errorf("status %d after Ctrl-C: %s", status, follow.stderr)
		}
	}
	inKorean(t, "trace", ko.stdout.String())
	inEnglish(t, "trace", c.stdout.String())
	contains(t, l.reads(korean, "check"), "맞음 1개, 틀림 2개", "-P FORWARD DROP")
	for _, args := range [][]string{
		{"drops"}, {"replay", "1"}, {"explain", "RED@", "8.8.8.8"}, {"explain", "RED@", "BLUE@", "--tcp", "80", "--send"}, {"explain", "RED@", "BLUE@", "--send"},
		{"why-not", "RED@", "8.8.8.8"}, {"why-not", "outside", "--tcp", "80"}, {"reach", "--no-send"}, {"check"},
		{"explain", "PINK", "8.8.8.8"}, {"explain", "RED@"}, {"drops", "--follow=perhaps"}, {"nonsense"}, // errors
	} {
		what := strings.Join(args, " ")
		inKorean(t, what, l.reads(korean, args...))
		inEnglish(t, what, l.reads("C", args...))
	}
}
