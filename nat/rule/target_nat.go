package rule

// natFlags are the options behind a range, as they are typed and listed.
type natFlags struct{ random, fully, persistent bool }

func (f natFlags) words() (words []string) {
	if f.random {
		words = append(words, "random")
	}
	if f.fully {
		words = append(words, "random-fully")
	}
	if f.persistent {
		words = append(words, "persistent")
	}
	return words
}

// set takes one of the options.
func (f *natFlags) set(option string) {
	switch option {
	case "random":
		f.random = true
	case "random-fully":
		f.fully = true
	case "persistent":
		f.persistent = true
	}
}
