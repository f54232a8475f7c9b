package lesson

import (
	"cmp"
	"embed"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/plan"
)

//go:embed lessons/*.md
var files embed.FS

// All returns the built-in lessons in their order.
func All() ([]*Lesson, error) {
	entries, err := files.ReadDir("lessons")
	if err != nil {
		return nil, err
	}
	var all []*Lesson
	for _, e := range entries {
		data, err := files.ReadFile("lessons/" + e.Name())
		if err != nil {
			return nil, err
		}
		l, err := Parse(e.Name(), data)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *Lesson) int { return cmp.Compare(a.Order, b.Order) })
	return all, nil
}

// next returns the built-in lesson after this one; nil: this is the last, or none of them.
func (l *Lesson) next() (*Lesson, error) {
	all, err := All()
	i := slices.IndexFunc(all, func(o *Lesson) bool { return o.Order > l.Order })
	if l.Order == 0 || i < 0 {
		return nil, err
	}
	return all[i], err
}

// Find returns the lesson of a name or a number, or one from a file: what has a slash in it, or ends in .md.
func Find(name string) (*Lesson, error) {
	if strings.ContainsRune(name, '/') || strings.HasSuffix(name, ".md") {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		return Parse(name, data)
	}
	all, err := All()
	if err != nil {
		return nil, err
	}
	number, _ := strconv.Atoi(name)
	var names []string
	for _, l := range all {
		if l.Name == name || l.Order == number {
			return l, nil
		}
		names = append(names, l.Name)
	}
	return nil, fmt.Errorf("lesson %q: there is no such lesson: want 1 to %d, a file ./NAME.md, or one of %s", name, all[len(all)-1].Order, strings.Join(names, ", "))
}

// skeleton is a lesson that works, for a teacher to go on from.
const skeleton = `---
title: {en: NAME}
---

` + "```" + `lab
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  RED: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE: {networks: {br0: {ipv4_address: 11.11.11.3}}}
x-uswitch:
  uplink: sim
  docker_rules: off
  checks:
    # What must hold in the end, and does not in the beginning. uswitch check -h says more.
    - {name: blue-answers, from: RED, to: 11.11.11.3}
` + "```" + `

[en]
RED and BLUE are on one switch, and yet:

` + "```" + `mend blue-answers
uswitch exec BLUE -- ip addr add 11.11.11.3/24 dev eth0
` + "```" + `

[en]
What did the learner see?
`

// broken is what makes the skeleton's check fail in the beginning.
const broken = "```run\nuswitch exec BLUE -- ip addr del 11.11.11.3/24 dev eth0\n```\n\n```run fails\nuswitch exec RED -- ping -c 1 -W 1 11.11.11.3\n```\n\n" +
	"```fails\nblue-answers\n```\n\n"

// New writes the skeleton of a lesson to NAME.md in the current directory, and returns the file's name.
func New(name string) (file string, err error) {
	name = strings.TrimSuffix(name, ".md")
	if err := plan.ValidateName("lesson", name); err != nil {
		return "", err
	}
	text := strings.Replace(strings.ReplaceAll(skeleton, "NAME", name), "```mend", broken+"```mend", 1)
	file = name + ".md"
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", fmt.Errorf("a lesson of yours must not be lost: %w", err)
	}
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return "", err
	}
	return file, f.Close()
}

// Language is a language that lessons are told in, as ISO 639-1 calls it.
type Language string

// Languages are all that there are, the default first.
var Languages = []Language{"en", "ko"}

// ParseLanguage reads --lang.
func ParseLanguage(text string) (Language, error) {
	if !slices.Contains(Languages, Language(text)) {
		return "", fmt.Errorf("language %q: want en or ko", text)
	}
	return Language(text), nil
}

// phrase is something that the player itself says.
type phrase int

const (
	enterRuns phrase = iota
	commandsHelp
	mendsHelp
	mustFail
	mustHold
	notMended
	keyIs
	right
	notQuite
	choose
	noChoice
	yes
	no
	lessonDone
	lessonLeft
	lastDone
	reason
	theHint
	noHint
	rightAnswers
	leftOut
	goesOn
	leftAsItIs
)

// phrases are what the player says, by language.
var phrases = map[phrase]map[Language]string{
	enterRuns:    {"en": "Enter runs it", "ko": "Enter를 누르면 실행합니다"},
	commandsHelp: {"en": "or type a command of your own, skip or quit", "ko": "다른 명령을 직접 치거나 skip, quit도 됩니다"},
	mendsHelp:    {"en": "or type a command of your own, hint, skip or quit", "ko": "다른 명령을 직접 치거나 hint, skip, quit도 됩니다"},
	mustFail:     {"en": "does not hold", "ko": "성립하지 않습니다"},
	mustHold:     {"en": "holds", "ko": "성립합니다"},
	notMended:    {"en": "not mended yet", "ko": "아직 고쳐지지 않았습니다"},
	keyIs:        {"en": "The switch says", "ko": "스위치의 답"},
	right:        {"en": "Right.", "ko": "맞습니다."},
	notQuite:     {"en": "Not quite.", "ko": "아쉽게도 아닙니다."},
	choose:       {"en": "Your answer (number, or several with blanks)", "ko": "답 (번호, 여러 개면 띄어 쓰기)"},
	noChoice:     {"en": "That is none of the answers. They are numbered from 1 to", "ko": "그런 답은 없습니다. 답의 번호는 1부터"},
	yes:          {"en": "yes", "ko": "예"},
	no:           {"en": "no", "ko": "아니오"},
	lessonDone:   {"en": "Done. The next one:", "ko": "끝났습니다. 다음 단원:"},
	lessonLeft:   {"en": "Left. To begin it again: uswitch learn", "ko": "그만둡니다. 다시 시작하려면: uswitch learn"},
	lastDone:     {"en": "Done. All lessons: uswitch learn", "ko": "끝났습니다. 전체 단원: uswitch learn"},
	reason:       {"en": "the switch says why:", "ko": "스위치가 말하는 이유:"},
	theHint:      {"en": "The switch would try:", "ko": "스위치라면 이렇게 해 봅니다:"},
	noHint:       {"en": "There is no hint for this step.", "ko": "이 단계에는 힌트가 없습니다."},
	leftOut:      {"en": "left out: this needs a real machine, and the lab is in memory", "ko": "건너뜁니다. 실제 컴퓨터가 필요한데 이 실습은 메모리 안에 있습니다"},
	goesOn:       {"en": "As the lab is now, this step cannot be done; the lesson goes on.", "ko": "지금 실습 상태로는 이 단계를 할 수 없어 다음으로 넘어갑니다."},
	leftAsItIs:   {"en": "left as it is", "ko": "그대로 두고 넘어갑니다"},
	rightAnswers: {"en": "questions answered rightly", "ko": "문제를 맞혔습니다"},
}

// in returns a phrase in a language.
func (p phrase) in(lang Language) string { return phrases[p][lang] }
