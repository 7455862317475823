"""Why a trained model says what it says, and what goes on inside it."""
