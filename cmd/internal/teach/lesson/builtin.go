package lesson

import (
	"cmp"
	"embed"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
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
