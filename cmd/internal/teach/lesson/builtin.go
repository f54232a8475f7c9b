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
	if l.Order == 0 || l.Order >= len(all) {
		return nil, err
	}
	return all[l.Order], err
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
	return nil, fmt.Errorf("lesson %q: there is no such lesson: want 1 to %d, a file ./NAME.md, or one of %s", name, len(all), strings.Join(names, ", "))
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
