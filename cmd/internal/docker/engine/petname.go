package engine

import "fmt"

// A container that is given no name gets one as Docker draws them: an adjective and somebody whom networks owe something.
var (
	adjectives = []string{"admiring", "bold", "brave", "busy", "clever", "compassionate", "cool", "dazzling", "determined", "eager",
		"elated", "elegant", "epic", "fervent", "focused", "friendly", "gallant", "gifted", "happy", "hopeful", "inspiring", "jolly",
		"keen", "kind", "loving", "lucid", "magical", "modest", "nifty", "nostalgic", "optimistic", "peaceful", "practical", "quirky",
		"relaxed", "serene", "sharp", "stoic", "sweet", "tender", "upbeat", "vibrant", "vigilant", "wizardly", "wonderful", "youthful",
		"zealous", "zen"}
	surnames = []string{"baran", "bartik", "bellovin", "berners-lee", "boggs", "cerf", "clark", "cohen", "crocker", "davies", "deering",
		"diffie", "dijkstra", "easley", "engelbart", "feinler", "floyd", "hamilton", "hamming", "hellman", "hopper",
		"jacobson", "johnson", "kahn", "kleinrock", "knuth", "lamarr", "lamport", "licklider", "lovelace", "merkle", "metcalfe",
		"mockapetris", "morse", "nyquist", "perlman", "postel", "pouzin", "rekhter", "ritchie", "roberts", "shannon", "spafford",
		"stearns", "stevens", "taylor", "thompson", "tomlinson", "torvalds", "turing", "wing"}
)

// petname draws a name that is free. After a few that are taken it puts a digit behind.
func (e *Engine) petname(taken func(string) bool) string {
	for try := 0; ; try++ {
		name := adjectives[e.random.IntN(len(adjectives))] + "_" + surnames[e.random.IntN(len(surnames))]
		if try > 5 {
			name += fmt.Sprint(e.random.IntN(10))
		}
		if !taken(name) {
			return name
		}
	}
}
