package lesson

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

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

// Locale returns the language of a person's environment: of the first of LC_ALL, LC_MESSAGES and LANG that is set
// (POSIX.1-2024, 8.2).
func Locale(getenv func(string) string) Language {
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG"))
	for _, lang := range Languages {
		if locale == string(lang) || strings.HasPrefix(locale, string(lang)+"_") || strings.HasPrefix(locale, string(lang)+".") {
			return lang
		}
	}
	return Languages[0]
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
