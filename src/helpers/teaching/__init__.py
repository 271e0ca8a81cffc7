"""The primer: calculations by hand, pictures, simulations, exercises and quizzes."""
